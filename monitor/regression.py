"""Figures of guessed numbers beyond mean errors, over the rows whose guess was finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, compress
from statistics import median

from river import metrics

from monitor.sums import total
from monitor.windows import Recent


def figures(parts: Sequence[Recent]) -> dict[str, float]:
    """Return r2, smape, wape, rmsle and medae, those of them that there are.

    `r2` needs labels that differ, at 1 it is perfect, at 0 as good as their mean. `smape`
    is the symmetric percentage error as a ratio, in [0, 2]. `wape` is the sum of absolute
    errors by that of absolute labels. `rmsle` is the root of the mean squared difference of
    log(1 + number), where no label or guess is below 0. `medae` is the median absolute
    error. The first two are River's.
    """
    columns = [_finite(part) for part in parts]
    ys = [*chain(*(y for y, _ in columns))]
    guesses = [*chain(*(guess for _, guess in columns))]
    if not ys:
        return {}
    r2, smape = metrics.R2(), metrics.SMAPE()
    for y, guess in zip(ys, guesses, strict=True):
        r2.update(y, guess)
        smape.update(y, guess)
    errors = [abs(guess - y) for y, guess in zip(ys, guesses, strict=True)]
    found = {"smape": smape.get() / 100, "medae": median(errors)}
    if min(ys) < max(ys):
        found["r2"] = r2.get()
    if size := total(map(abs, ys)):
        found["wape"] = total(errors) / size
    if min(ys) >= 0 and min(guesses) >= 0:
        pairs = zip(ys, guesses, strict=True)
        logs = [(math.log1p(guess) - math.log1p(y)) ** 2 for y, guess in pairs]
        found["rmsle"] = math.sqrt(total(logs) / len(logs))
    return {name: value for name, value in found.items() if not math.isnan(value)}


def _finite(part: Recent) -> tuple[Sequence[float], Sequence[float]]:
    if 1 not in part.lost:
        return part.y, part.guess
    kept = [not gone for gone in part.lost]
    return [*compress(part.y, kept)], [*compress(part.guess, kept)]
