"""Why a record is refused: the reason codes there are, and which one bad JSON has.

A reason is also a label of a metric, so the codes are these and no others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    # Bytes that are no record of ours.
    "empty": "nothing but blanks",
    "too_large": "more bytes than a record may have",
    "not_utf8": "text in another encoding",
    "byte_order_mark": "UTF-8 with the signature of an editor in front",
    "not_json": "another format: Avro, gzip, XML, CSV",
    "truncated": "JSON that breaks off",
    "trailing_data": "more behind the end of the object",
    "not_finite": "NaN or Infinity where JSON has only null",
    "lone_surrogate": "half a character",
    "malformed_json": "some other slip in the JSON",
    "too_deep": "nested more deeply than can be read",
    # JSON that says nothing a learner understands, or a mapping.
    "not_object": "a list, a number, a text or null where an object belongs",
    "nested": "a list or an object where a plain value belongs",
    "wrong_type": "a field of another type",
    "number_range": "a number beyond what can be computed with",
    "too_many_fields": "more features than a sample may have",
    "string_too_long": "a text longer than it may be",
    "no_content": "none of the fields that make a record",
    "ambiguous": "two kinds of record in one",
    "missing_id": "no id where the mapping says that one stands",
    "missing_label": "no label where the mapping says that one stands",
    "bad_time": "no moment where the mapping says that one stands",
    "unknown_command": "a command nobody knows",
    "bad_command": "a command without what it needs",
    # Records that the learner or its model cannot use.
    "no_id": "a label or a wish to forget, for nothing",
    "unknown_id": "a label or a wish to forget, for a sample that does not wait",
    "duplicate_question": "the id of a question that still waits",
    "label_type": "a label of a type the task does not take",
    "unknown_class": "a label that was never declared",
    "third_class": "a third label for a model of two",
    "unknown_arm": "the promotion of a model that is not there",
    "text_feature": "a text for a model of numbers",
    "missing_feature": "a null for a model of numbers",
    "model_error": "features the model cannot guess",
    "not_learned": "features the model cannot learn",
}
"""Each reason code and what was found, in a few words."""

UNREADABLE = frozenset(list(REASONS)[: list(REASONS).index("not_object")])
"""The reasons of bytes that are no record at all."""

_BYTE = re.compile(r"\(byte (\d+)\)$")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OPENINGS = (b"{", b"[")
_BEGINNINGS = tuple(bytes([byte]) for byte in b'{["-0123456789tfnNI')
"""What JSON can begin with, or what is often taken for it."""
_BLANKS = b" \t\r\n"
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_FLAT = bytes(set(range(256)) - set(b"[]{}"))


def depth(value: bytes) -> int:
    """Return how many lists and objects stand within one another, at most.

    >>> depth(b'{"x": {"a]": [1, [2]]}}')
    4
    """
    found = most = 0
    for byte in _TEXT.sub(b"", value).translate(None, _FLAT):
        found += 1 if byte in b"[{" else -1
        most = max(most, found)
    return most


def syntax(value: bytes, message: str) -> tuple[str, str]:
    """Return the reason and the sentence for bytes that are no JSON, as `message` says."""
    if value.startswith(b"\xef\xbb\xbf"):
        return "byte_order_mark", "record begins with a byte order mark; write UTF-8 without it"
    start = value.lstrip(_BLANKS)
    if start.startswith(_UTF16) or (b"\0" in start[:2] and start[:2].strip(b"\0") in _OPENINGS):
        return "not_utf8", "record looks like UTF-16; write UTF-8"
    if start[:1] not in _BEGINNINGS:
        return "not_json", (
            f"record is no JSON: it begins with {value[:8]!r}; what is Avro, Protobuf, CSV or "
            "XML must become JSON first"
        )
    return _slip(value, message)


def _slip(value: bytes, message: str) -> tuple[str, str]:
    found = _BYTE.search(message)
    at = int(found[1]) if found else len(value)
    cut = "truncated" in message
    if "surrogate" in message or "hex escape" in message or (cut and _half(value)):
        return "lone_surrogate", f"half of a surrogate pair stands alone: {message}"
    if "trailing characters" in message:
        return "trailing_data", f"one record is one object, and more follows: {message}"
    if cut or ("invalid number" in message and at >= len(value)):
        return "truncated", f"record breaks off after {len(value)} bytes: {message}"
    near = value[max(at - 4, 0) : at + 3].lower()
    if b"nan" in near or b"inf" in near:
        return "not_finite", f"NaN and Infinity are no JSON, write null: {message}"
    return "malformed_json", message


def _half(value: bytes) -> bool:
    """Whether the decoder ran out of text in search of the second half of a character."""
    at = max(value.rfind(b"\\ud"), value.rfind(b"\\uD"))
    return at >= 0 and len(value) - at > 6 and value[at + 3 : at + 4] in b"89abAB"
