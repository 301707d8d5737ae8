"""When to train anew: at a drift, every so many samples, every period of event time."""

from __future__ import annotations

import math
from typing import Any

from learner.clock import MONTH, period_of
from learner.models.model import Model
from learner.policies.arguments import flag, need_errors, whole
from stream.errors import SettingError

Why = dict[str, Any]
"""Which occasion it is, and what is known of it."""


class Occasions:
    """Tells when to act and why, from alarms, samples and event time.

    `every` is a number of labelled samples, `period` seconds or "month", counted as
    `learner.clock.period_of` does. Drifts count unless one of these is given, or as
    `on_drift` says. Of several occasions in a grain the first is the reason.
    """

    def __init__(
        self,
        policy: str,
        model: Model,
        *,
        on_drift: bool | None,
        every: int | None,
        period: float | str | None,
    ) -> None:
        self._every = None if every is None else whole(policy, "every", every)
        self._period = None if period is None else _period(policy, period)
        if on_drift is None:
            self._on_drift = every is None and period is None
        else:
            self._on_drift = flag(policy, "on_drift", on_drift)
        if not (self._on_drift or self._every or self._period):
            raise SettingError(
                f"policy {policy!r} never acts; give every or period, or leave on_drift away"
            )
        if self._on_drift:
            need_errors(policy, model, "give every or period")
        self._samples = 0
        self._at: int | None = None
        self.why: Why | None = None
        """Why to act now, None for no reason; who acts calls `over`."""

    def alarm(self, kind: str, why: Why) -> None:
        """Take an alarm of the detector."""
        if kind == "drift" and self._on_drift:
            self.why = self.why or {"cause": "drift", **why}

    def passed(self, samples: int, now: float | None) -> None:
        """Take the end of a grain of so many samples, and event time."""
        self._samples += samples
        if self._period is not None and now is not None:
            at, before = period_of(now, self._period), self._at
            self._at = at
            if before is not None and at > before:
                self.why = self.why or {"cause": "period", "period": self._period}
        if self._every is not None and self._samples >= self._every:
            self.why = self.why or {"cause": "every", "every": self._every}
            self._samples %= self._every

    def over(self) -> Why:
        """Return why to act, and forget it."""
        why, self.why = self.why or {}, None
        return why


def _period(policy: str, period: float | str) -> float | str:
    seconds = type(period) in (int, float) and 0 < float(period) < math.inf
    if period != MONTH and not seconds:
        raise SettingError(
            f"period of policy {policy!r} must be {MONTH!r} or seconds above 0, got {period!r}"
        )
    return period
