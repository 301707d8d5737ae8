"""What flows, and its form on the wire: JSON, checked where it enters.

A record of the samples topic is one of these, told apart by the fields it has:

    x and y      a labelled sample: guessed, scored, learned
    x alone      a question: guessed and answered, kept until its label comes
    y alone      the label of an earlier sample of the same id
    forget       clear an id from whatever waits for its label, and from samples a policy keeps
    command      obeyed at this offset
    mark         a remark of the source, a true drift say; never shown to a model

Fields we do not know are ignored. NaN has no place in JSON: null is a missing value. Of a
key that is said twice the last counts, as nearly every reader of JSON has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET as UNSET
from msgspec import UnsetType

from stream.errors import RecordError
from stream.refusals import depth, syntax

MAX_RECORD = 256 * 1024
"""Bytes of one record of the samples topic, at most."""
MAX_FIELDS = 1024
"""Features of one sample, at most."""
MAX_STRING = 64 * 1024
"""Characters of one string in a sample, at most."""
MAX_ID = 1024
"""Characters of an id, at most."""
MAX_LABEL = 256
"""Characters of a label, at most: totals and predictions repeat it."""
MAX_DECLARED = 1000
"""Classes of one declaration, at most."""
MAIN_ARM = "main"
"""The arm that every learner with challengers has: its first champion."""
MAX_ARM = 40
"""Characters of the name of one of several models, at most."""
MAX_DEPTH = 500
"""Lists and objects within one another, at most.

The reader itself stops where Python's stack ends, which another version has elsewhere.
"""
LARGEST = 1e100
"""Numbers beyond ± this count as not finite: the sum of their squares would not be."""
MAX_CLASSES = 50
"""Classes told apart in `Totals.confusion`; the rest are OTHER."""
OTHER = "other"
"""The key in `Totals` for all classes beyond the first `MAX_CLASSES`."""

SCORED, NO_GUESS, CORRECTION, NOT_FINITE = range(4)
"""The flags of an outcome. A guess that is not finite is scored, and never right."""

Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 2)]
"""A place in a partition; the one behind it has to be a number of 64 bits as well."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Sum = Annotated[float, msgspec.Meta(ge=0.0)]
"""A sum of what is never below nothing: errors, their squares, weights."""
Number = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
Value = bool | Int | Number | str | None
Features = dict[str, Value]
Label = bool | Int | float | str
_Fields = msgspec.Meta(max_length=MAX_FIELDS)
_Id = Int | Annotated[str, msgspec.Meta(max_length=MAX_ID)]
_Class = bool | Int | Annotated[str, msgspec.Meta(max_length=MAX_LABEL)]


class Record(msgspec.Struct, gc=False, omit_defaults=True):
    """One record of the samples topic; see the module for what each is.

    `ts` is event time in seconds of the epoch. `x` is flat, one value a feature.
    """

    id: _Id | None = None
    ts: float | None = None
    x: Annotated[Features, _Fields] | UnsetType = UNSET
    y: _Class | float | None = None
    forget: bool = False
    command: str | None = None
    mark: str | None = None


class _Full(Record, gc=False, omit_defaults=True):
    """A record whose features are all there; nobody need look for a null."""

    x: Annotated[dict[str, bool | Int | Number | str], _Fields] | UnsetType = UNSET  # type: ignore[assignment]


class _Numbers(Record, gc=False, omit_defaults=True):
    """A record whose features are all there and all numbers."""

    x: Annotated[dict[str, bool | Int | Number], _Fields] | UnsetType = UNSET  # type: ignore[assignment]


class Declare(msgspec.Struct, tag_field="command", tag="declare"):
    """A command: the labels that will come, for models that must know them beforehand."""

    classes: Annotated[list[_Class], msgspec.Meta(min_length=1, max_length=MAX_DECLARED)]


class EndGrain(msgspec.Struct, tag_field="command", tag="end-grain"):
    """A command: learn now what has been gathered, without waiting for a full grain."""


class Promote(msgspec.Struct, tag_field="command", tag="promote", omit_defaults=True):
    """A command: from here on serve the guesses of another of several models.

    It is for the learner of that name, or for every one where it names none.
    """

    arm: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ARM)]
    learner: str | None = None


class Rows(msgspec.Struct, gc=False):
    """Outcomes in columns, one place a labelled sample, in order of `offset`.

    `offset`, of the record that brought the label, is what tells a row from any other of
    its partition. `of` is the offset of its sample. `y_pred` is null for no guess. `p_true`
    and `p_pred` are the probabilities the model gave the label and its own guess, null
    where it gives none. `no_change_error` and `majority_error` are what the two baselines
    would have suffered here: 0 or 1 for a class, absolute error for a number.
    """

    offset: list[Offset]
    of: list[Offset]
    id: list[Int | str]
    ts: list[float | None]
    y: list[Label]
    y_pred: list[Label | None]
    p_true: list[float | None]
    p_pred: list[float | None]
    arm: list[str]
    flag: list[Int]
    no_change_error: list[float]
    majority_error: list[float]


class ArmTotals(msgspec.Struct, gc=False):
    """What one of several models has done since the learner's start, as in `Totals`.

    A guess that is missing, or no finite number, is scored and never right; `not_finite`
    counts it where labels are numbers. What is scored is the guess of a sample at the moment
    its label is learned. The last to serve is `serving`.
    """

    scored: Count = 0
    correct: Count = 0
    not_finite: Count = 0
    absolute_error: Sum = 0.0
    fading_error: Sum = 0.0
    fading_weight: Sum = 0.0
    serving: bool = False


class Totals(msgspec.Struct, gc=False):
    """Everything counted in a partition since the learner's start.

    `samples` were shown to the model, `scored` had a guess when their label came. Sums of
    errors run over the scored. `mae` and `mse` are running means by Welford's update, as
    River computes them. `confusion` is label → guess → count, each key the JSON text of a
    class. `fading_error` / `fading_weight` is the prequential error with fading factor
    0.999 (Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms",
    Machine Learning 90, 2013). `actions` are what a policy did, by kind, besides resets, and
    warnings of drift. `arms` are the models side by side, by name, where there are several.
    """

    task: str
    samples: Count = 0
    labelled: Count = 0
    scored: Count = 0
    correct: Count = 0
    not_finite: Count = 0
    absolute_error: Sum = 0.0
    squared_error: Sum = 0.0
    mae: Sum = 0.0
    mse: Sum = 0.0
    fading_error: Sum = 0.0
    fading_weight: Sum = 0.0
    no_change_error: Sum = 0.0
    majority_error: Sum = 0.0
    confusion: dict[str, dict[str, Count]] = {}
    drifts: Count = 0
    improvements: Count = 0
    resets: Count = 0
    marks: Count = 0
    dead: dict[str, Count] = {}
    pending: Count = 0
    expired: Count = 0
    late_features: Count = 0
    repeated: Count = 0
    actions: dict[str, Count] = {}
    outgrown: Count = 0
    arms: dict[str, ArmTotals] = {}

    def count_dead(self, reason: str, records: int = 1) -> None:
        """Count records that were refused."""
        self.dead[reason] = self.dead.get(reason, 0) + records

    def count(self, kind: str) -> None:
        """Count what a detector has heard, or what a policy has done."""
        match kind:
            case "drift":
                self.drifts += 1
            case "improvement":
                self.improvements += 1
            case "reset":
                self.resets += 1
            case _:
                self.actions[kind] = self.actions.get(kind, 0) + 1


Event = tuple[Offset, str, dict[str, Any]]
"""Offset, kind, details. Kinds are mark, declare and forget, what detectors hear (drift,
improvement, warning, calm, input-drift, guess-drift), and what policies do, reset among it."""


class Outcomes(msgspec.Struct, gc=False):
    """One message of the outcomes topic: all that came of the samples `first` to `last`.

    A function of the records up to `last` and of nothing else; what depends on the host or
    the hour travels in the message's headers. Only the last message of a turn has totals.
    """

    first: Offset
    last: Offset
    rows: Rows
    events: list[Event]
    totals: Totals | None = None


class Prediction(msgspec.Struct, omit_defaults=True):
    """The answer to one question; `p` has a probability for each class's JSON text."""

    id: int | str
    y_pred: Label | None
    at: str
    p: dict[str, float] | None = None


Command = Declare | EndGrain | Promote
"""What a learner obeys."""
_commands = msgspec.json.Decoder(Command)
_marks = msgspec.json.Decoder(dict[str, Value])
_objects = msgspec.json.Decoder(dict[str, Any])
_outcomes = msgspec.json.Decoder(Outcomes)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_RANGE = re.compile("Expected `(int|float)` [<>]")
_NESTED = re.compile(
    r"got `(array|object)` - at `\$\.(x\[|id|ts|y`)|got `(array|object)` - at `\$\["
)
_encoder = msgspec.json.Encoder(enc_hook=lambda scalar: scalar.item())
encode = _encoder.encode
"""Return the JSON text of any of the above as bytes.

NaN and infinities become null, NumPy's scalars the numbers they hold.
"""


_one = msgspec.json.Decoder(Record).decode


def decode(value: bytes) -> Record:
    """Return the record in `value`, within all limits.

    Raises `RecordError` with one of the reasons of `stream.refusals`, empty to ambiguous.
    """
    check_size(value)
    _check_depth(value)
    try:
        record = _one(value)
    except _UNREADABLE as error:
        raise _refusal(value, error) from None
    _check_kind(record)
    _check_encoding(value)
    # A string within a record that is shorter than the limit needs no look of its own.
    if len(value) > MAX_STRING:
        check_strings(record)
    return record


def _many_with(kind: type[Record]) -> Callable[[Sequence[bytes]], list[Record]]:
    read = msgspec.json.Decoder(kind).decode

    def decode_many(values: Sequence[bytes]) -> list[Record]:
        largest = max(map(len, values), default=0)
        if largest > MAX_RECORD:
            raise RecordError("too_large", f"a record has {largest} bytes")
        together = b"".join(values)
        # One to open a record and one for its features are what most have.
        if largest > MAX_DEPTH and (
            together.find(b"[") >= 0 or _count(together, b"{") > 2 * len(values)
        ):
            for value in values:
                _check_depth(value)
        try:
            records = [*map(read, values)]
        except _UNREADABLE as error:
            raise RecordError("malformed_json", str(error)) from None
        for record in records:
            if record.x is UNSET or record.forget or record.command or record.mark:
                _check_kind(record)
        _check_encoding(together)
        if largest > MAX_STRING:
            for record in records:
                check_strings(record)
        return records

    return decode_many


decode_full = _many_with(_Full)
"""Return many records, faster than one by one, if no value is missing from any `x`.

Raises `RecordError` where one is, and where any record is refused; only `decode` says which
and why.
"""
decode_numbers = _many_with(_Numbers)
"""The same where all values of `x` are numbers and truth values."""


def _check_kind(record: Record) -> None:
    """Raise `RecordError` unless a record is one thing, and only one."""
    if record.x is not UNSET:
        if record.forget or record.command or record.mark:
            raise RecordError(
                "ambiguous", "record has x, and is a wish, command or mark as well"
            )
        return
    kinds = (record.y is not None, record.forget, record.command, record.mark)
    if not any(kinds):
        raise RecordError("no_content", "record has none of x, y, forget, command, mark")
    if sum(map(bool, kinds)) > 1:
        raise RecordError(
            "ambiguous",
            "record is more than one of label, wish, command and mark; send each alone",
        )


def _count(value: bytes, byte: bytes) -> int:
    return len(value) - len(value.replace(byte, b""))  # ten times as fast as `count`


def _check_depth(value: bytes) -> None:
    """Raise `RecordError` for a record that is nested too deeply, also where nobody reads."""
    if len(value) <= MAX_DEPTH or _count(value, b"[") + _count(value, b"{") <= MAX_DEPTH:
        return
    if (found := depth(value)) > MAX_DEPTH:
        raise RecordError(
            "too_deep", f"record is nested {found} deep, {MAX_DEPTH} are allowed; make it flat"
        )


def _check_encoding(value: bytes) -> None:
    """Raise `RecordError` for bytes that are no UTF-8, in a field that nobody reads too."""
    if value.isascii():
        return
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise _refusal(value, error) from None


def check_size(value: bytes) -> None:
    """Raise `RecordError` for a record of more than `MAX_RECORD` bytes."""
    if len(value) > MAX_RECORD:
        raise RecordError(
            "too_large", f"record has {len(value)} bytes, {MAX_RECORD} are allowed"
        )


def decode_object(value: bytes) -> dict[str, Any]:
    """Return a JSON object of somebody else's, as Python's own dicts, lists and scalars.

    Raises `RecordError` with one of the reasons empty, too_large, not_utf8, malformed_json,
    too_deep, wrong_type, number_range.
    """
    check_size(value)
    _check_depth(value)
    try:
        found: dict[str, Any] = _objects.decode(value)
    except _UNREADABLE as error:
        raise _refusal(value, error) from None
    _check_encoding(value)
    return found


def reader(kind: Any) -> Callable[[bytes], Any]:
    """Return a function that reads JSON of a type, or raises `RecordError` as `decode` does."""
    read = msgspec.json.Decoder(kind).decode

    def refusing(value: bytes) -> Any:
        try:
            return read(value)
        except _UNREADABLE as error:
            raise _refusal(value, error) from None

    return refusing


def check_strings(record: Record) -> None:
    """Raise `RecordError` for a text of more than `MAX_STRING` characters in a record."""
    texts = [record.id, record.y, record.command, record.mark]
    if record.x is not UNSET:
        texts += [*record.x, *record.x.values()]
    longest = max((len(text) for text in texts if isinstance(text, str)), default=0)
    if longest > MAX_STRING:
        raise RecordError(
            "string_too_long", f"a string has {longest} characters, {MAX_STRING} are allowed"
        )


def check_bounds(record: Record) -> None:
    """Raise `RecordError` for an id, label or number that `decode` would not take.

    For records that are made of what somebody else's held; texts aside.
    """
    for what, text, most in (("id", record.id, MAX_ID), ("label", record.y, MAX_LABEL)):
        if isinstance(text, str) and len(text) > most:
            raise RecordError(
                "string_too_long", f"the {what} has {len(text)} characters, {most} are allowed"
            )
    for name, value in record.x.items() if record.x is not UNSET else ():
        if type(value) is float and not -LARGEST <= value <= LARGEST:
            raise RecordError("number_range", f"feature {name!r} is beyond ±{LARGEST:g}")


def _refusal(value: bytes, error: Exception) -> RecordError:
    message = str(error)
    if isinstance(error, UnicodeDecodeError):
        return RecordError("not_utf8", f"record is not UTF-8: {error.reason}")
    if isinstance(error, RecursionError):
        return RecordError("too_deep", "record is nested too deeply")
    if not value.strip():
        return RecordError("empty", "record is empty")
    if "out of range" in message or _RANGE.match(message):
        return RecordError("number_range", f"a number is out of range: {message}")
    if not isinstance(error, msgspec.ValidationError):
        return RecordError(*syntax(value, message))
    if "of length <=" in message:
        reason = "too_many_fields" if "`object`" in message else "string_too_long"
        return RecordError(reason, message)
    if "$" not in message and message.startswith("Expected `object`"):
        return RecordError("not_object", f"record must be an object with x, y, …: {message}")
    if _NESTED.search(message):
        return RecordError("nested", f"{message}; make it flat, one plain value a field")
    return RecordError("wrong_type", message)


def decode_command(value: bytes) -> Command:
    """Return the command in a record that has one.

    Raises `RecordError` with reason unknown_command or bad_command.
    """
    try:
        command: Command = _commands.decode(value)
    except _UNREADABLE as error:
        message = str(error)
        if "`$.command`" in message or "field `command`" in message:
            raise RecordError(
                "unknown_command", f"there are declare, end-grain and promote: {message}"
            ) from None
        raise RecordError("bad_command", message) from None
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
