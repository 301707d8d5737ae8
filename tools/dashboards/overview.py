"""The first dashboard: how well it does, what has moved, and whether all of it keeps up."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from tools.dashboards.parts import (
    A_SECOND,
    RATIO,
    SECONDS,
    SHORT,
    THIRD,
    WIDE,
    board,
    curve,
    grown,
    number,
    of,
    rate,
    total,
    variables,
)

WHO = "{{stream}}/{{learner}}"
_WINDOW = 'window="$window"'


def _now() -> list[object]:
    return [
        number(
            "Accuracy",
            "Share of right guesses among the last rows of the window; each was guessed before "
            "it was learned.",
            RATIO,
            (WHO, of("prequential_accuracy_ratio", _WINDOW)),
            alert="DriftlineAccuracyBelowBaseline",
        ),
        number(
            "Mean absolute error",
            "Of numbers, over the same window, in the label's unit.",
            SHORT,
            (WHO, of("prequential_mae", _WINDOW)),
            alert="DriftlineErrorAboveBaseline",
        ),
        number(
            "Samples a second",
            "Samples learned a second, over the last 10 s.",
            A_SECOND,
            (WHO, of("samples_per_second")),
            alert="DriftlineStalled",
        ),
        number(
            "Records waiting",
            "Records of the samples that no outcome accounts for yet.",
            SHORT,
            (WHO, total("lag_records")),
            warn=1000,
            alert="DriftlineLagGrowing",
        ),
    ]


def _quality() -> list[object]:
    return [
        curve(
            "Accuracy against the baselines",
            "Rolling accuracy over each window, beside guessing the last label again and the "
            "commonest label so far. A model below either is worse than none.",
            RATIO,
            (f"{WHO} over {{{{window}}}}", of("prequential_accuracy_ratio")),
            (
                f"{WHO}: {{{{baseline}}}} over {{{{window}}}}",
                of("baseline_accuracy_ratio", _WINDOW),
            ),
            span=WIDE,
            height=10,
            most=1,
            alert="DriftlineAccuracyDropped",
        ),
        curve(
            "Mean absolute error against the baselines",
            "The same for numbers: guessing the last value again, and the mean.",
            SHORT,
            (f"{WHO} over {{{{window}}}}", of("prequential_mae")),
            (f"{WHO}: {{{{baseline}}}} over {{{{window}}}}", of("baseline_mae", _WINDOW)),
            least=0,
            alert="DriftlineErrorRose",
        ),
        curve(
            "Accuracy of what came in between",
            "Right guesses by all guesses between two points: it answers at once, and jumps.",
            RATIO,
            (WHO, f"{rate('correct_total')} / ({rate('scored_total')} > 0)"),
            most=1,
        ),
    ]


def _moved() -> list[object]:
    return [
        curve(
            "Drifts",
            "Drifts for the worse that the detector heard, and true ones, marked.",
            SHORT,
            (f"{WHO} heard", grown("drifts_total")),
            (f"{WHO} true", grown("marks_total")),
            bars=True,
            alert="DriftlineDriftStorm",
        ),
        curve(
            "Actions",
            "What the policy did about it, resets among it, and warnings.",
            SHORT,
            (f"{WHO} {{{{kind}}}}", grown("actions_total", by="stream, learner, kind")),
            bars=True,
        ),
    ]


def _keeping_up() -> list[object]:
    return [
        curve(
            "Rate",
            "Samples shown to the model, and labels that came.",
            A_SECOND,
            (f"{WHO} samples", rate("samples_total")),
            (f"{WHO} labels", rate("labelled_total")),
            span=THIRD,
            least=0,
            alert="DriftlineStalled",
        ),
        curve(
            "Lag",
            "Records that no outcome accounts for yet.",
            SHORT,
            (WHO, total("lag_records")),
            span=THIRD,
            least=0,
            alert="DriftlineLagGrowing",
        ),
        curve(
            "Lag in event time",
            "From the last sample learned to the newest; nothing without event time.",
            SECONDS,
            (WHO, f"max by (stream, learner) ({of('lag_seconds')})"),
            span=THIRD,
            least=0,
            alert="DriftlineLagGrowing",
        ),
        curve(
            "Dead letters",
            "Records refused, by reason.",
            A_SECOND,
            (f"{WHO} {{{{reason}}}}", rate("dead_total", by="stream, learner, reason")),
            least=0,
            alert="DriftlineDeadLetters",
        ),
        curve(
            "Samples that wait for their label",
            "Guessed and kept until their label comes; those that were given up beside them.",
            SHORT,
            (f"{WHO} waiting", total("pending_samples")),
            (f"{WHO} given up", total("expired_total")),
            least=0,
        ),
    ]


def overview() -> Dashboard:
    """Return the dashboard."""
    return board(
        "driftline-overview",
        "driftline: Overview",
        "How well each learner does against rules that learn nothing, and whether it keeps up.",
        variables("driftline_samples_total", windows=True),
        [
            ("Now", _now()),
            ("Quality", _quality()),
            ("When the world changes", _moved()),
            ("Keeping up", _keeping_up()),
        ],
    )
