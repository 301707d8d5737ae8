"""Everything beyond accuracy and mean errors that a board's windows can tell."""

from __future__ import annotations

from typing import NamedTuple

from monitor import anomalies, probabilities, stability
from monitor.classes import Known, named, pairs_of
from monitor.figures import ALL, Figures
from monitor.pairs import beyond, pairs_in
from monitor.probabilities import Bin
from monitor.tally import ANOMALY, REGRESSION


class Detail(NamedTuple):
    """The figures of one window; what there is nothing to tell of is left out.

    `plain` has a number by its name. `averages` and `classes` have precision, recall and
    f1, the first by the kind of average, the second by class. `confusion` counts rows by the
    names of label and guess, `bins` by the probability of the guess.
    """

    plain: dict[str, float]
    averages: dict[str, dict[str, float]]
    classes: dict[str, dict[str, float]]
    confusion: dict[tuple[str, str], int]
    bins: list[Bin]


def load() -> None:
    """Bring River and scikit-learn in, which takes longer than all the rest of a start."""
    from monitor import confusion, ranking, regression  # noqa: F401 - to be here already


def details(figures: Figures) -> dict[str, Detail]:
    """Return the details of every window of a board, by its name.

    What needs single rows is not there for `ALL`, of which only sums are kept; and fading
    knows nothing but its own figure. The first call brings in what `load` does.
    """
    if figures.task == REGRESSION:
        return {window: _of_numbers(figures, window) for window in figures.pooled}
    if figures.task == ANOMALY:
        return {window: _of_anomalies(figures, window) for window in figures.pooled}
    if figures.task is None:
        return {}
    known = Known([part.totals for part in figures.parts.values()])
    return {window: _of_classes(figures, window, known) for window in figures.pooled}


def _of_numbers(figures: Figures, window: str) -> Detail:
    from monitor import regression

    rows = figures.recent(window)
    plain = regression.figures(rows) | stability.figures(rows, regression=True)
    return Detail(plain, {}, {}, {}, [])


def _of_anomalies(figures: Figures, window: str) -> Detail:
    return Detail(anomalies.figures(figures.recent(window)), {}, {}, {}, [])


def _of_classes(figures: Figures, window: str, known: Known) -> Detail:
    from monitor.confusion import Confusion

    rows = figures.recent(window)
    totals = [part.totals for part in figures.parts.values()]
    pairs = pairs_of(totals) if window == ALL else pairs_in(rows)
    confusion = Confusion(pairs, known)
    plain = confusion.figures() | _beyond_baselines(figures, window)
    likely = probabilities.likely(rows, known.positive)
    bins = probabilities.bins(likely) if likely.p_pred else []
    plain |= probabilities.figures(likely, bins, binary=known.positive is not None)
    plain |= stability.figures(rows, regression=False)
    return Detail(
        plain,
        confusion.averages(),
        confusion.of_classes(),
        named(pairs, known),
        bins,
    )


def _beyond_baselines(figures: Figures, window: str) -> dict[str, float]:
    found = {}
    floor, mine = figures.baselines(window), figures.scores(window)
    for name, baseline in (("kappa_m", "majority"), ("kappa_t", "no_change")):
        if mine and (value := beyond(mine["accuracy"], floor[baseline])) is not None:
            found[name] = value
    return found
