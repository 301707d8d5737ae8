"""What the dashboards are put together from: selectors, panels, variables, marks, links.

Built with Grafana's own builders, as the classic JSON that every Grafana provisions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grafana_foundation_sdk.builders import common as builders
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, table, text, timeseries
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as models

from tools.dashboards.alerts import RUNBOOK, link

TAG = "driftline"
SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
ASKED = 'job=~"$job",instance=~"$instance"'
"""What every selector asks for; the linter of Grafana's mixins wants it so."""
WHOSE = 'stream=~"$stream",learner=~"$learner"'
RATIO, SECONDS, BYTES, SHORT = units.PercentUnit, units.Seconds, units.BytesIEC, units.Short
A_SECOND = "suffix:/s"
WIDE, HALF, THIRD, QUARTER = 24, 12, 8, 6


def of(name: str, more: str = "", *, whose: str = WHOSE) -> str:
    """Return a selector of one of our metrics, for what is chosen above the panels."""
    labels = ",".join(filter(None, (ASKED, whose, more)))
    return f"driftline_{name}{{{labels}}}"


def rate(name: str, more: str = "", *, by: str = "stream, learner", whose: str = WHOSE) -> str:
    """Return how much a counter grows in a second."""
    return f"sum by ({by}) (rate({of(name, more, whose=whose)}[$__rate_interval]))"


def grown(name: str, more: str = "", *, by: str = "stream, learner") -> str:
    """Return how much a counter has grown since the point before."""
    return f"sum by ({by}) (increase({of(name, more)}[$__rate_interval]))"


def total(name: str, more: str = "", *, by: str = "stream, learner") -> str:
    """Return the sum of a metric over partitions."""
    return f"sum by ({by}) ({of(name, more)})"


def quantile(q: float, name: str, *, by: str = "stream, learner", whose: str = WHOSE) -> str:
    """Return a quantile of a histogram of durations."""
    return f"histogram_quantile({q}, {rate(f'{name}_bucket', by=f'{by}, le', whose=whose)})"


def _targets(panel: Any, asked: Iterable[tuple[str, str]], *, instant: bool = False) -> Any:
    for ref, (legend, expr) in zip("ABCDEFGH", asked, strict=False):
        query = prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(ref)
        query = query.instant() if instant else query.range()
        panel.with_target(query.datasource(SOURCE))
    return panel


def _dressed(
    panel: Any, title: str, says: str, unit: str, span: int, height: int, alert: str | None
) -> Any:
    panel.title(title).description(says).datasource(SOURCE).unit(unit)
    panel.span(span).height(height)
    if alert is not None:
        kind, said = models.DashboardLinkType.LINK, f"What to do: {alert}"
        to = dashboard.DashboardLink(said).type(kind).url(link(alert)).target_blank(True)
        panel.links([to])
    return panel


def curve(
    title: str,
    says: str,
    unit: str,
    *asked: tuple[str, str],
    span: int = HALF,
    height: int = 8,
    most: float | None = None,
    least: float | None = None,
    bars: bool = False,
    alert: str | None = None,
) -> Any:
    """Return a panel of lines over time; `asked` are legends and PromQL."""
    panel = _dressed(timeseries.Panel(), title, says, unit, span, height, alert)
    panel.legend(
        builders.VizLegendOptions()
        .show_legend(True)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
    )
    panel.tooltip(
        builders.VizTooltipOptions()
        .mode(common.TooltipDisplayMode.MULTI)
        .sort(common.SortOrder.DESCENDING)
    )
    if bars:
        panel.draw_style(common.GraphDrawStyle.BARS).fill_opacity(60)
        panel.stacking(builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if least is not None:
        panel.axis_soft_min(least)
    if most is not None:
        panel.max(most)
    return _targets(panel, asked)


def number(
    title: str,
    says: str,
    unit: str,
    *asked: tuple[str, str],
    span: int = QUARTER,
    warn: float | None = None,
    alert: str | None = None,
) -> Any:
    """Return a panel of one number for each learner; from `warn` on it is red."""
    panel = _dressed(stat.Panel(), title, says, unit, span, 4, alert)
    panel.reduce_options(builders.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.graph_mode(common.BigValueGraphMode.AREA)
    steps = [models.Threshold(value=None, color="green")]
    if warn is not None:
        steps.append(models.Threshold(value=warn, color="red"))
    mode = models.ThresholdsMode.ABSOLUTE
    panel.thresholds(dashboard.ThresholdsConfig().mode(mode).steps(steps))
    return _targets(panel, asked)


def grid(
    title: str,
    says: str,
    unit: str,
    *asked: tuple[str, str],
    changes: Iterable[tuple[str, dict[str, Any]]] = (),
    span: int = HALF,
    height: int = 8,
) -> Any:
    """Return a table of what is true now; `changes` are Grafana's transformations."""
    panel = _dressed(table.Panel(), title, says, unit, span, height, None)
    _targets(panel, asked, instant=True)
    for target in panel.build().targets:
        target.format_val = "table"
    for name, options in changes:
        panel.with_transformation(models.DataTransformerConfig(id_val=name, options=options))
    return panel


def prose(title: str, markdown: str, *, height: int) -> Any:
    """Return a panel of text."""
    panel = text.Panel().title(title).content(markdown).span(WIDE).height(height)
    return panel.mode("markdown")


def _query(name: str, label: str, asked: str, *, regex: str = "") -> Any:
    made = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(asked)
    made.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
    made.sort(models.VariableSort.NATURAL_ASC)
    return made.regex(regex) if regex else made


def _every(name: str, label: str, asked: str, *, any_value: bool = False) -> Any:
    """Return a variable of which several may be chosen, all of them at first."""
    made = _query(name, label, asked).multi(True).include_all(True)
    made.current(models.VariableOption(selected=True, text="All", value="$__all"))
    return made.all_value(".+") if any_value else made


def variables(job: str, *, windows: bool) -> list[Any]:
    """Return what can be chosen; `job` is a metric of the services that are shown."""
    asked = [
        dashboard.DatasourceVariable("datasource").label("Data Source").type("prometheus"),
        _every("job", "Job", f"label_values({job}, job)", any_value=True),
        _every(
            "instance",
            "Instance",
            f'label_values({job}{{job=~"$job"}}, instance)',
            any_value=True,
        ),
        _every("stream", "Stream", "label_values(driftline_samples_total, stream)"),
        _every(
            "model",
            "Model",
            'label_values(driftline_model_info{stream=~"$stream"}, model)',
        ),
        _every(
            "learner",
            "Learner",
            'label_values(driftline_model_info{stream=~"$stream",model=~"$model"}, learner)',
        ),
    ]
    if windows:
        window = 'label_values(driftline_window_scored{stream=~"$stream"}, window)'
        asked.append(_query("window", "Window", window, regex="/^[0-9]+$/"))
    return asked


def _mark(name: str, color: str, expr: str, title: str) -> Any:
    said = dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(True)
    said.icon_color(color).expr(expr).title_format(title).text_format("{{stream}}/{{learner}}")
    query = prometheus.Dataquery().expr(expr).ref_id("Anno").range()
    return said.target(query)


def marks() -> list[Any]:
    """Return what is drawn as a line across all panels: true drifts, drifts heard, actions."""

    def moved(name: str, by: str = "") -> str:
        labels = f"stream, learner{by}"
        return f"sum by ({labels}) (changes({of(name)}[$__rate_interval])) > 0"

    return [
        _mark("True drifts", "blue", moved("marks_total"), "The world changes"),
        _mark("Drifts", "orange", moved("drifts_total"), "Drift heard"),
        _mark("Actions", "red", moved("actions_total", ", kind"), "{{kind}}"),
    ]


def board(
    uid: str,
    title: str,
    says: str,
    chosen: list[Any],
    rows: Iterable[tuple[str, list[Any]]],
    *,
    marked: bool = True,
) -> models.Dashboard:
    """Return a dashboard of rows of panels, each with an id; a row may be unnamed."""
    made = dashboard.Dashboard(title).uid(uid).description(says).tags([TAG]).readonly()
    made.timezone("browser").time("now-1h", "now").refresh("5s").variables(chosen)
    made.tooltip(models.DashboardCursorSync.CROSSHAIR)
    made.annotations(marks() if marked else [])
    kind = models.DashboardLinkType
    made.link(
        dashboard.DashboardLink("Dashboards")
        .type(kind.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
    made.link(dashboard.DashboardLink("Runbook").type(kind.LINK).url(f"/d/{RUNBOOK}"))
    for name, panels in rows:
        if name:
            made.with_row(dashboard.Row(name))
        for panel in panels:
            made.with_panel(panel)
    built = made.build()
    for n, panel in enumerate(built.panels or (), 1):
        panel.id_val = n
    return built
