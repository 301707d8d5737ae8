"""What the monitor's figures cost: an outcome taken in, and a scrape.

    python -m benchmarks.figures [ROUNDS]

Prints JSON: microseconds an outcome for messages of 2,000 rows, best of the rounds, and
milliseconds a scrape with windows of 100, 1,000 and 10,000 rows, all full.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable

from monitor.board import Board
from monitor.exporter import page, registry
from stream.records import Outcomes, Rows, Totals, text_of

ROWS = 2_000
MESSAGES = 10
WINDOWS = (100, 1_000, 10_000)
ROUNDS = 5


def _two(rng: random.Random) -> tuple[object, object, float | None]:
    y = rng.random() < 0.4
    p = min(0.999, max(0.001, rng.gauss(0.7 if y else 0.3, 0.2)))
    return y, p >= 0.5, p if y else 1 - p


def _ten(rng: random.Random) -> tuple[object, object, float | None]:
    y = rng.randrange(10)
    right = rng.random() < 0.8
    return f"class {y}", f"class {y if right else (y + 1) % 10}", 0.9 if right else 0.05


def _number(rng: random.Random) -> tuple[object, object, float | None]:
    y = rng.gauss(10, 3)
    return y, y + rng.gauss(0, 1), None


CASES: dict[str, tuple[str, Callable[[random.Random], tuple[object, object, float | None]]]] = {
    "two classes": ("classification", _two),
    "ten classes": ("classification", _ten),
    "regression": ("regression", _number),
}


def messages(case: str) -> list[Outcomes]:
    """Return full messages of one of the cases, seeded, each the end of a turn."""
    task, draw = CASES[case]
    rng, made = random.Random(7), []
    totals = Totals(task)
    for first in range(0, ROWS * MESSAGES, ROWS):
        drawn = [draw(rng) for _ in range(ROWS)]
        y, guess, p_true = (list(column) for column in zip(*drawn, strict=True))
        p_pred = [
            None if p is None else p if g == label else max(p, 1 - p)
            for label, g, p in zip(y, guess, p_true, strict=True)
        ]
        offsets = list(range(first, first + ROWS))
        baseline = [float(rng.random() < 0.5) for _ in range(ROWS)]
        totals = _added(totals, y, guess)
        made.append(
            Outcomes(
                first=first,
                last=first + ROWS - 1,
                rows=Rows(
                    offset=offsets,
                    of=offsets,
                    id=[str(offset) for offset in offsets],
                    ts=[float(offset) for offset in offsets],
                    y=y,
                    y_pred=guess,
                    p_true=p_true,
                    p_pred=p_pred,
                    arm=["main"] * ROWS,
                    flag=[0] * ROWS,
                    no_change_error=baseline,
                    majority_error=baseline,
                ),
                events=[],
                totals=totals,
            )
        )
    return made


def _added(totals: Totals, y: list[object], guess: list[object]) -> Totals:
    confusion = {text: dict(row) for text, row in totals.confusion.items()}
    if totals.task == "classification":
        for label, found in zip(y, guess, strict=True):
            row = confusion.setdefault(text_of(label), {})
            row[text_of(found)] = row.get(text_of(found), 0) + 1
    scored = totals.scored + len(y)
    return Totals(totals.task, samples=scored, scored=scored, confusion=confusion)


def outcome_cost(told: list[Outcomes]) -> float:
    """Return the seconds that a board takes for one outcome."""
    board = Board("bench", "main", WINDOWS)
    began = time.perf_counter()
    for message in told:
        board.feed(0, message)
    return (time.perf_counter() - began) / (ROWS * len(told))


def scrape_cost(told: list[Outcomes]) -> tuple[float, int]:
    """Return the seconds a scrape takes over full windows, and the bytes of its page."""
    board = Board("bench", "main", WINDOWS)
    for message in told:
        board.feed(0, message)
    scraped = registry(lambda: [board])
    page(scraped)
    began = time.perf_counter()
    content, _ = page(scraped)
    return time.perf_counter() - began, len(content)


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Return the costs of each case."""
    found = {}
    for case in CASES:
        told = messages(case)
        scrapes = [scrape_cost(told) for _ in range(rounds)]
        found[case] = {
            "us_per_outcome": round(1e6 * min(outcome_cost(told) for _ in range(rounds)), 3),
            "ms_per_scrape": round(1e3 * min(seconds for seconds, _ in scrapes), 1),
            "page_bytes": scrapes[0][1],
        }
    return found


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:])), indent=2))
