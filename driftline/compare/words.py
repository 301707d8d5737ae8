"""How figures are written for a person, on a terminal and on a page."""

from __future__ import annotations

from driftline.compare.board import Board, Row


def cell(value: float | None, digits: int) -> str:
    """Return a figure with so many digits behind its point, or with none where it is whole.

    >>> cell(0.81649, 3), cell(1250.0, 1), cell(None, 3), cell(-0.0001, 2)
    ('0.816', '1,250', '–', '0.00')
    """
    if value is None:
        return "–"
    if value == int(value) and digits <= 1:
        return f"{int(value):,}"
    if value and abs(value) < 10**-digits / 2:
        value = 0.0
    return f"{value:,.{digits}f}"


def places_of(board: Board) -> int:
    """Return how many digits of the board's figure are worth showing."""
    scores = [abs(row.score) for row in board.rows if row.score is not None]
    largest = max(scores, default=0.0)
    return 4 if largest <= 1 else 3 if largest < 100 else 1


def megabytes(row: Row) -> list[str]:
    """Return the peak in MiB and the state in KiB, the largest of all seeds."""
    peaks = [run.peak_bytes for run in row.played if run.peak_bytes is not None]
    states = [run.state_bytes for run in row.played]
    return [
        cell(max(peaks) / 2**20, 0) if peaks else "–",
        cell(max(states) / 2**10, 0) if states else "–",
    ]


def after(row: Row, name: str, at: int) -> str:
    """Return after how many samples a figure of a drift is there, the mean over the seeds.

    Where it is there with some of them alone, the mean is over these and says so: a policy
    that is back once, and soon, is none that is back soon.
    """
    there, seeds = row.share(name, at)
    mean = cell(row.after(name, at), 0)
    return f"{mean} ({there} of {seeds})" if 0 < there < seeds else mean


def title(board: Board) -> str:
    """Return what was compared, in one line."""
    seeds = f", {len(board.seeds)} seeds" if len(board.seeds) > 1 else ""
    return f"{board.data}: {board.samples:,} samples{seeds}, windows of {board.window:,}"


def beside(board: Board) -> list[str]:
    """Return what else there is to say of the board, a sentence each."""
    found = [f"{name}: left out, {why}" for name, why in board.left_out.items()]
    found += [
        f"{name}: drifts are alarms at what it served; its arms had {cell(alarms, 1)} of their "
        "own"
        for name, alarms in board.arm_alarms.items()
    ]
    found += [
        f"{name}: refused {cell(refused, 1)} of {cell(of, 1)} samples that others took; its "
        "figures are of the rest, so it stands behind those others"
        for name, (refused, of) in board.refused.items()
    ]
    return [*found, *unfinished(board.missing)]


def unfinished(missing: int) -> list[str]:
    """Return the sentence that says how many runs are missing, if any are."""
    if not missing:
        return []
    runs = "1 run that was" if missing == 1 else f"{missing:,} runs that were"
    return [f"stopped before its end: this is not all, {runs} wanted did not come to an end"]
