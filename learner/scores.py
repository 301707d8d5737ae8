"""Everything counted over the outcomes of a partition, brought up to date a turn at a time.

The result does not depend on where turns were cut: what is summed in floating point is
summed in the order of the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain, repeat
from operator import eq, ne
from typing import Any

from stream.records import MAX_CLASSES, NO_GUESS, NOT_FINITE, OTHER, Label, Totals, text_of

FADING = 0.999
"""Fading factor of the prequential error, see `Totals`."""

_NAMES = 4096
"""Bytes of the names of all classes in a confusion, which says each of them often."""
_SEEN = 10_000
"""Labels whose numbers are kept, the first to appear; no other is ever the majority."""
_REST = ("rest",)
"""Stands for all classes beyond the first; no label is a tuple."""


class Scores:
    """The sums behind `Totals`, for one task."""

    def __init__(self, task: str) -> None:
        self.totals = Totals(task)
        self._seen: dict[Label, int] = {}
        self._pairs: Counter[tuple[Label, Label]] = Counter()
        self._last: Label | None = None
        self._majority: Label | None = None
        self._rank: dict[Label, int] = {}
        self._mean = 0.0

    def update(
        self, ys: Sequence[Label], guesses: Sequence[Label | None], flags: Sequence[int]
    ) -> tuple[list[Any], list[Any]]:
        """Take the rows of a turn; return the errors of both baselines, one a row each."""
        self.totals.labelled += len(ys)
        if self.totals.task == "classification":
            return self._update_classes(ys, guesses, flags)
        if self.totals.task == "anomaly":
            return self._update_anomalies(flags)
        return self._update_numbers(ys, guesses, flags)

    def _update_anomalies(self, flags: Sequence[int]) -> tuple[list[int], list[int]]:
        """Count; a score is neither right nor wrong, and no baseline has one."""
        self.totals.scored += len(flags) - flags.count(NO_GUESS)
        self.totals.not_finite += flags.count(NOT_FINITE)
        return [0] * len(flags), [0] * len(flags)

    def _update_classes(
        self, ys: Sequence[Any], guesses: Sequence[Any], flags: Sequence[int]
    ) -> tuple[list[int], list[int]]:
        no_change, majority = self._class_baselines(ys)
        rights = [*map(eq, ys, guesses)]
        if any(flags):
            rights = [right and not flag for right, flag in zip(rights, flags, strict=True)]
            kept = [flag != NO_GUESS for flag in flags]
            rights = _where(rights, kept)
            no_change_scored, majority_scored = _where(no_change, kept), _where(majority, kept)
            finite = [not flag for flag in flags]
            ys, guesses = _where(ys, finite), _where(guesses, finite)
        else:
            no_change_scored, majority_scored = no_change, majority
        if len(self._seen) > MAX_CLASSES:
            ys, guesses = self._bounded(ys), self._bounded(guesses)
        self._pairs.update(zip(ys, guesses, strict=True))
        totals = self.totals
        totals.scored += len(rights)
        totals.correct += sum(rights)
        totals.no_change_error += sum(no_change_scored)
        totals.majority_error += sum(majority_scored)
        error, weight = totals.fading_error, totals.fading_weight
        for right in rights:
            error = error * FADING + (not right)
        for _ in rights:
            more = weight * FADING + 1.0
            if more == weight:
                break  # it has come to its limit, and stays there to the last digit
            weight = more
        totals.fading_error, totals.fading_weight = error, weight
        return no_change, majority

    def _bounded(self, labels: Sequence[Any]) -> list[Any]:
        """Put every label beyond the first `MAX_CLASSES` into one, to bound the pairs."""
        rank = self._rank
        return [y if rank.get(y, MAX_CLASSES) < MAX_CLASSES else _REST for y in labels]

    def _class_baselines(self, ys: Sequence[Any]) -> tuple[list[int], list[int]]:
        """Return where the last label, and the label most seen so far, would have been wrong.

        Of labels seen equally often the one that appeared first counts as the majority.
        """
        seen, rank = self._seen, self._rank
        most: Any = self._majority
        most_seen = seen.get(most, 0) if most is not None else 0
        last = self._last
        if not ys:
            return [], []
        no_change = [*bytes(map(ne, ys, chain((last,), ys)))]
        self._last = ys[-1]
        # Where no other can overtake it within these rows, there is no need to look at each.
        others = [count for label, count in seen.items() if label != most]
        if others and most_seen - max(others) > len(ys) and set(ys) <= seen.keys():
            for y, count in Counter(ys).items():
                seen[y] += count
            return no_change, [*bytes(map(ne, ys, repeat(most)))]
        majority = []
        for y in ys:
            majority.append(int(y != most))
            if y not in seen and len(seen) >= _SEEN:
                continue
            count = seen.get(y, 0) + 1
            seen[y] = count
            if count == 1:
                rank[y] = len(rank)
            if count > most_seen or (count == most_seen and rank[y] < rank[most]):
                most, most_seen = y, count
        self._majority = most
        return no_change, majority

    def _update_numbers(
        self, ys: Sequence[Any], guesses: Sequence[Any], flags: Sequence[int]
    ) -> tuple[list[float], list[float]]:
        totals = self.totals
        no_change, majority = [], []
        n, last = totals.labelled - len(ys), 0.0 if self._last is None else self._last
        for y, guess, flag in zip(ys, guesses, flags, strict=True):
            no_change.append(abs(y - last))
            majority.append(abs(y - self._mean))
            n, last = n + 1, y
            self._mean += (y - self._mean) / n
            if flag == NO_GUESS:
                continue
            totals.scored += 1
            totals.no_change_error += no_change[-1]
            totals.majority_error += majority[-1]
            if flag == NOT_FINITE:
                totals.not_finite += 1
                continue
            self._error(abs(y - guess), (y - guess) * (y - guess))
        self._last = last
        return no_change, majority

    def _error(self, absolute: float, squared: float) -> None:
        totals = self.totals
        totals.absolute_error += absolute
        totals.squared_error += squared
        # River's Mean multiplies by the reciprocal; so do we, for the same last digit.
        share = 1.0 / (totals.scored - totals.not_finite)
        totals.mae += share * (absolute - totals.mae)
        totals.mse += share * (squared - totals.mse)
        totals.fading_error = totals.fading_error * FADING + absolute
        totals.fading_weight = totals.fading_weight * FADING + 1.0

    def snapshot(self) -> Totals:
        """Return the totals with the confusion spelled out."""
        # Labels in order of first appearance, so that which ones are OTHER never changes.
        # Behind them guesses that were no label yet: a model was told of these beforehand.
        rest: Any = _REST
        guessed = (guess for _, guess in self._pairs if guess != rest)
        named = list(dict.fromkeys(chain(self._seen, guessed)))[:MAX_CLASSES]
        texts, room = {}, _NAMES
        for label in named:
            text = text_of(label)
            if (room := room - len(text.encode())) < 0:
                break
            texts[label] = text
        confusion: dict[str, dict[str, int]] = {}
        for (y, guess), count in self._pairs.items():
            row = confusion.setdefault(texts.get(y, OTHER), {})
            column = texts.get(guess, OTHER)
            row[column] = row.get(column, 0) + count
        self.totals.confusion = confusion
        return self.totals


def _where(values: Sequence[Any], kept: Sequence[bool]) -> list[Any]:
    return [value for value, keep in zip(values, kept, strict=True) if keep]
