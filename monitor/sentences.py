"""What happened to a learner, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from monitor.tally import Noted
from stream.texts import shown

Group = Literal["true", "heard", "done"]
"""The world changed; a detector heard it; a policy did something about it."""
LONGEST = 160
"""Characters of a sentence, at most."""
_HEARD = ("drift", "improvement", "warning", "calm", "input-drift", "guess-drift")
_UNSAID = ("declare", "forget")
_DONE = {
    "reset": "the model is replaced by a new one",
    "swap": "a new model takes over that has learned {trained} samples",
    "background": "a new model begins to learn beside it",
    "drop": "the model that learned beside it is dropped, as the warning has passed",
    "pause": "the model beside it learns no more until the next warning",
    "refit": "a new model takes over, trained on {samples} samples",
    "not-refitted": "no new model could be trained on {samples} samples",
    "slower": "it learns more slowly for {samples} samples",
    "faster": "it learns faster for {samples} samples",
    "rate-restored": "it learns as fast as before",
    "split": "a model that learns on joins the old one",
    "switch": "{to} answers in place of {from}",
    "promotion": "{to} answers in place of {from}",
    "promotion-ignored": "{to} answers already",
    "joined": "it goes on from the model of {with}",
}
_ARM = "arm-"


def group(kind: str) -> Group | None:
    """Return what kind of news an event is; None for what is none.

    >>> group("mark"), group("drift"), group("arm-reset"), group("forget")
    ('true', 'heard', 'done', None)
    """
    kind = kind.removeprefix(_ARM)
    if kind in _UNSAID:
        return None
    return "true" if kind == "mark" else "heard" if kind in _HEARD else "done"


def sentence(event: Noted) -> str:
    """Return what happened, and why where that is told; nothing in it gives orders.

    >>> why = {"detector": "ADWIN", "before": 0.12, "after": 0.31}
    >>> sentence(Noted(0, 7, "drift", why, 7)), sentence(Noted(0, 7, "reset", why, 7))[:39]
    ('ADWIN sees it: error 0.12 → 0.31', 'ADWIN, error 0.12 → 0.31: the model is ')
    """
    kind, details = event.kind.removeprefix(_ARM), event.details
    if kind == "mark":
        said = (
            f"the world changes: {details.get('kind', '')} {details.get('mark', '')}".rstrip()
        )
    elif kind in _HEARD:
        said = _heard(kind, details)
    else:
        reason = _why(details)
        said = (f"{reason}: " if reason else "") + _done(kind, details)
    if (arm := details.get("arm")) is not None:
        said = f"{arm}: {said}"
    return shown(said, LONGEST)


def _heard(kind: str, details: Mapping[str, Any]) -> str:
    detector = details.get("detector", "a detector")
    if kind == "calm":
        return "the warning has passed"
    if kind in ("input-drift", "guess-drift"):
        what = _moved(kind, details)
        return f"{what} moves: {short(details.get('before'))} → {short(details.get('after'))}"
    verb = {"warning": "warns", "improvement": "sees it get better"}.get(kind, "sees it")
    return f"{detector} {verb}: {_error(details)}"


def _moved(kind: str, details: Mapping[str, Any]) -> str:
    value = details.get("value")
    if kind == "input-drift":
        share = "" if value is None else f", share of {value}"
        return f"feature {details.get('feature')}{share}"
    if details.get("of") == "probability":
        return "the probability of the guess"
    return "the guess" if value is None else f"the share of guesses {value}"


def _why(details: Mapping[str, Any]) -> str:
    """Return why something was done: a detector and the error, or a period."""
    if "detector" in details and "before" in details:
        return f"{details['detector']}, {_error(details)}"
    if details.get("cause") == "every":
        return f"every {details.get('every')} samples"
    return {"period": "a period is over", "rule": "it is better", "command": "by command"}.get(
        str(details.get("cause", details.get("why", ""))), ""
    )


def _done(kind: str, details: Mapping[str, Any]) -> str:
    # Whoever can write outcomes chooses the kind: it is no pattern to be filled in.
    if kind not in _DONE:
        return kind
    known = {key: str(value) for key, value in details.items()}
    return _DONE[kind].format_map(_Blank(known))


def _error(details: Mapping[str, Any]) -> str:
    """Return how the error has moved: two decimals where they tell it."""
    pair = [details.get("before"), details.get("after")]
    told = [_decimals(value) for value in pair]
    before, after = [short(value) for value in pair] if told[0] == told[1] else told
    return f"error {before} → {after}"


def _decimals(value: Any) -> str:
    return (
        f"{value:.2f}" if isinstance(value, int | float) and abs(value) < 100 else short(value)
    )


def short(value: Any) -> str:
    """Return a number with three digits, and a dash for what is none.

    >>> short(2.5), short(None)
    ('2.5', '–')
    """
    if not isinstance(value, int | float):
        return "–"
    try:
        return f"{value:.3g}"
    except OverflowError:
        return "beyond all bounds"


class _Blank(dict[str, str]):
    """Has a dash for whatever is missing."""

    def __missing__(self, _: str) -> str:
        return "–"
