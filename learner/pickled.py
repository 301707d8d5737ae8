"""A learner as bytes and back, so that it goes on as fast as it did before.

A pickle runs code when it is loaded: nobody but `learner.checkpoint` may, once `learner.signed`
has found it to be ours.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from types import FunctionType
from typing import Any

from stream.records import as_key

_NAME = 32
"""Characters of a string that may be one object with a record's; longer ones never are."""
NotPicklable = (pickle.PicklingError, TypeError, AttributeError)
"""What `dumps` raises where an object cannot be had as bytes."""


def dumps(learner: Any) -> bytes:
    """Return a learner as bytes. Raises one of `NotPicklable`."""
    file = io.BytesIO()
    _Pickler(file, protocol=5).dump(learner)
    return file.getvalue()


def loads(payload: bytes) -> Any:
    """Return what `dumps` has stored; only for bytes that are known to be ours."""
    return _Unpickler(payload).load()


class _Pickler(pickle.Pickler):
    """Lets objects be loaded attribute by attribute, and strings as records have them.

    Up to Python 3.12 an object whose `__dict__` was ever asked for, as pickle does in both
    directions, keeps its attributes in that dict, and River's trees are a fifth slower. And
    a model looks every feature up by its name, which is slower where the name it knows is
    equal to that in a record, but another object.
    """

    def persistent_id(self, obj: Any) -> str | None:
        """Let `_Unpickler` see every string that may be a feature's name."""
        return obj if type(obj) is str and len(obj) <= _NAME else None

    def reducer_override(self, obj: Any) -> Any:
        kind: Any = type(obj)
        if (
            isinstance(obj, (type, FunctionType))
            or kind in copyreg.dispatch_table
            or not hasattr(kind, "__dict__")
            or hasattr(kind, "__setstate__")
            or kind.__setattr__ is not object.__setattr__
        ):
            return NotImplemented
        found = obj.__reduce_ex__(5)
        if type(found) is tuple and len(found) > 2 and type(found[2]) is dict:
            # As if they were slots: pickle sets those one by one.
            return (*found[:2], (None, found[2]), *found[3:])
        return found


class _Unpickler(pickle.Unpickler):
    """Loads what `_Pickler` has stored."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(io.BytesIO(payload))
        self._keys: dict[str, str] = {}

    def persistent_load(self, pid: str) -> str:
        """Return a string as the object that records have it by."""
        key = self._keys.get(pid)
        if key is None:
            key = self._keys[pid] = as_key(pid)
        return key
