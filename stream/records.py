"""What flows, and its form on the wire: JSON, checked where it enters.

A record of the samples topic is one of these, told apart by the fields it has:

    x and y      a labelled sample: guessed, scored, learned
    x alone      a question: guessed and answered, kept until its label comes
    y alone      the label of an earlier sample of the same id
    forget       clear an id from whatever still waits for its label
    command      obeyed at this offset
    mark         a remark of the source, a true drift say; never shown to a model

Fields we do not know are ignored. NaN has no place in JSON: null is a missing value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET as UNSET
from msgspec import UnsetType

from stream.errors import RecordError

MAX_RECORD = 256 * 1024
"""Bytes of one record of the samples topic, at most."""
MAX_FIELDS = 1024
"""Features of one sample, at most."""
MAX_STRING = 64 * 1024
"""Characters of one string in a sample, at most."""
MAX_CLASSES = 50
"""Classes told apart in `Totals.confusion`; the rest are OTHER."""
OTHER = "other"
"""The key in `Totals` for all classes beyond the first `MAX_CLASSES`."""

SCORED, NO_GUESS, CORRECTION, NOT_FINITE = range(4)
"""The flags of an outcome. A guess that is not finite is scored, and never right."""

Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Value = bool | Int | float | str | None
Features = dict[str, Value]
Label = bool | Int | float | str


class Record(msgspec.Struct, gc=False, omit_defaults=True):
    """One record of the samples topic; see the module for what each is.

    `ts` is event time in seconds of the epoch. `x` is flat, one value a feature.
    """

    id: Int | str | None = None
    ts: float | None = None
    x: Features | UnsetType = UNSET
    y: Label | None = None
    forget: bool = False
    command: str | None = None
    mark: str | None = None


class _Full(Record, gc=False, omit_defaults=True):
    """A record whose features are all there; nobody need look for a null."""

    x: dict[str, bool | Int | float | str] | UnsetType = UNSET  # type: ignore[assignment]


class Declare(msgspec.Struct, tag_field="command", tag="declare"):
    """A command: the labels that will come, for models that must know them beforehand."""

    classes: list[bool | Int | str]


class EndGrain(msgspec.Struct, tag_field="command", tag="end-grain"):
    """A command: learn now what has been gathered, without waiting for a full grain."""


class Rows(msgspec.Struct, gc=False):
    """Outcomes in columns, one place a labelled sample, in order of `offset`.

    `offset`, of the record that brought the label, is what tells a row from any other of
    its partition. `of` is the offset of its sample. `y_pred` is null for no guess. `p_true`
    and `p_pred` are the probabilities the model gave the label and its own guess, null
    where it gives none. `no_change_error` and `majority_error` are what the two baselines
    would have suffered here: 0 or 1 for a class, absolute error for a number.
    """

    offset: list[int]
    of: list[int]
    id: list[int | str]
    ts: list[float | None]
    y: list[Label]
    y_pred: list[Label | None]
    p_true: list[float | None]
    p_pred: list[float | None]
    arm: list[str]
    flag: list[int]
    no_change_error: list[float]
    majority_error: list[float]


class Totals(msgspec.Struct, gc=False):
    """Everything counted in a partition since the learner's start.

    `samples` were shown to the model, `scored` had a guess when their label came. Sums of
    errors run over the scored. `mae` and `mse` are running means by Welford's update, as
    River computes them. `confusion` is label → guess → count, each key the JSON text of a
    class. `fading_error` / `fading_weight` is the prequential error with fading factor
    0.999 (Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms",
    Machine Learning 90, 2013).
    """

    task: str
    samples: int = 0
    labelled: int = 0
    scored: int = 0
    correct: int = 0
    not_finite: int = 0
    absolute_error: float = 0.0
    squared_error: float = 0.0
    mae: float = 0.0
    mse: float = 0.0
    fading_error: float = 0.0
    fading_weight: float = 0.0
    no_change_error: float = 0.0
    majority_error: float = 0.0
    confusion: dict[str, dict[str, int]] = {}
    drifts: int = 0
    improvements: int = 0
    resets: int = 0
    marks: int = 0
    dead: dict[str, int] = {}
    pending: int = 0
    expired: int = 0
    late_features: int = 0
    repeated: int = 0

    def count_dead(self, reason: str, records: int = 1) -> None:
        """Count records that were refused."""
        self.dead[reason] = self.dead.get(reason, 0) + records

    def count_alarm(self, kind: str) -> None:
        """Count a drift or an improvement."""
        if kind == "drift":
            self.drifts += 1
        else:
            self.improvements += 1


Event = tuple[int, str, dict[str, Any]]
"""Offset, kind, details. The kinds are drift, improvement, reset, mark, declare, forget."""


class Outcomes(msgspec.Struct, gc=False):
    """One message of the outcomes topic: all that came of the samples `first` to `last`.

    A function of the records up to `last` and of nothing else; what depends on the host or
    the hour travels in the message's headers. Only the last message of a turn has totals.
    """

    first: int
    last: int
    rows: Rows
    events: list[Event]
    totals: Totals | None = None


class Prediction(msgspec.Struct, omit_defaults=True):
    """The answer to one question; `p` has a probability for each class's JSON text."""

    id: int | str
    y_pred: Label | None
    at: str
    p: dict[str, float] | None = None


_commands = msgspec.json.Decoder(Declare | EndGrain)
_marks = msgspec.json.Decoder(dict[str, Value])
_outcomes = msgspec.json.Decoder(Outcomes)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_encoder = msgspec.json.Encoder(enc_hook=lambda scalar: scalar.item())
encode = _encoder.encode
"""Return the JSON text of any of the above as bytes.

NaN and infinities become null, NumPy's scalars the numbers they hold.
"""


def _decode_with(read: Callable[[bytes], Record]) -> Callable[[bytes], Record]:
    def decode(value: bytes) -> Record:
        if len(value) > MAX_RECORD:
            raise RecordError(
                "too_large", f"record has {len(value)} bytes, {MAX_RECORD} are allowed"
            )
        try:
            record = read(value)
        except _UNREADABLE as error:
            raise _refusal(value, error) from None
        x = record.x
        if x is UNSET:
            if (
                record.y is None
                and not record.forget
                and not record.command
                and not record.mark
            ):
                raise RecordError(
                    "no_content", "record has none of x, y, forget, command, mark"
                )
        elif record.forget or record.command or record.mark:
            raise RecordError(
                "ambiguous", "record has x, and is a wish, command or mark as well"
            )
        elif len(x) > MAX_FIELDS:
            raise RecordError(
                "too_many_fields", f"x has {len(x)} fields, {MAX_FIELDS} are allowed"
            )
        # A string within a record that is shorter than the limit needs no look of its own.
        if len(value) > MAX_STRING:
            _check_strings(record)
        return record

    return decode


decode = _decode_with(msgspec.json.Decoder(Record).decode)
"""Return the record in `value`, within all limits.

Raises `RecordError` with one of the reasons empty, too_large, not_utf8, malformed_json,
too_deep, wrong_type, number_range, too_many_fields, string_too_long, no_content, ambiguous.
"""
decode_full = _decode_with(msgspec.json.Decoder(_Full).decode)
"""The same for a record in whose `x` no value is missing: one with a null is refused."""


def reader(kind: Any) -> Callable[[bytes], Any]:
    """Return a function that reads JSON of a type, or raises `RecordError` as `decode` does."""
    read = msgspec.json.Decoder(kind).decode

    def refusing(value: bytes) -> Any:
        try:
            return read(value)
        except _UNREADABLE as error:
            raise _refusal(value, error) from None

    return refusing


def _check_strings(record: Record) -> None:
    texts = [record.id, record.y, record.command, record.mark]
    if record.x is not UNSET:
        texts += [*record.x, *record.x.values()]
    longest = max((len(text) for text in texts if isinstance(text, str)), default=0)
    if longest > MAX_STRING:
        raise RecordError(
            "string_too_long", f"a string has {longest} characters, {MAX_STRING} are allowed"
        )


def _refusal(value: bytes, error: Exception) -> RecordError:
    message = str(error)
    if isinstance(error, UnicodeDecodeError):
        return RecordError("not_utf8", f"record is not UTF-8: {error.reason}")
    if isinstance(error, RecursionError):
        return RecordError("too_deep", "record is nested too deeply")
    if not value.strip():
        return RecordError("empty", "record is empty")
    if "out of range" in message or "Expected `int` " in message:
        return RecordError("number_range", f"a number is out of range: {message}")
    if isinstance(error, msgspec.ValidationError):
        return RecordError("wrong_type", message)
    return RecordError("malformed_json", message)


def decode_command(value: bytes) -> Declare | EndGrain:
    """Return the command in a record that has one.

    Raises `RecordError` with reason unknown_command.
    """
    try:
        command: Declare | EndGrain = _commands.decode(value)
    except _UNREADABLE as error:
        raise RecordError("unknown_command", str(_refusal(value, error))) from None
    return command


def decode_mark(value: bytes) -> dict[str, Value]:
    """Return what a mark says, without the word itself. Raises `RecordError` as `decode`."""
    try:
        details = _marks.decode(value)
    except _UNREADABLE as error:
        raise _refusal(value, error) from None
    return {key: value for key, value in details.items() if key not in ("mark", "id")}


def decode_outcomes(value: bytes) -> Outcomes:
    """Return the outcomes message in `value`. Raises `RecordError` as `decode`."""
    try:
        return _outcomes.decode(value)
    except _UNREADABLE as error:
        raise _refusal(value, error) from None


def as_key(name: str) -> str:
    """Return a name as the very object that `decode` mostly gives for it as a key of `x`.

    Two strings that are one object are told alike without a look at their letters.
    """
    try:
        (key,) = _marks.decode(_encoder.encode({name: None}))
    except UnicodeEncodeError:
        return name  # half a character, which no record can hold
    return key


def text_of(label: Label) -> str:
    """Return the JSON text of a class, the key under which it is counted.

    >>> text_of("UP"), text_of(True), text_of(1)
    ('"UP"', 'true', '1')
    """
    return _encoder.encode(label).decode()
