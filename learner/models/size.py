"""How much a model holds: the numbers in it, found by walking through all it refers to."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sized
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

_COLLECTED = 1 << 14
"""Flag of a type whose objects tell the garbage collector what they refer to."""
_PASSED = (type, ModuleType, FunctionType, BuiltinFunctionType)
"""What a pickle has only by its name."""
_NUMBERS = (float, int, complex)
_PLAIN = (str, bytes, bool, type(None), slice, range)
_COMPILED = ("builtins", "numpy", "river", "scipy", "sklearn", "_random", "random", "datetime")
"""Where compiled code comes from that keeps no more in itself than a handful of numbers."""


def parameters(parts: Iterable[object], *, most: float = float("inf")) -> int:
    """Return how many numbers some objects hold, in whatever they refer to and in arrays.

    Weights, counts and sums are such, settings as well. The same after a pickle. Stops soon
    after `most`, so that a look costs no more than that.

    >>> parameters([{"a": 0.5, "b": [1, 2]}, "text"])
    3
    """
    return _walk(parts, most, set())


def opaque(parts: Iterable[object]) -> str | None:
    """Return the name of a type that does not show what it holds, None where there is none."""
    kinds: set[type] = set()
    _walk(parts, float("inf"), kinds)
    strange = sorted(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if kind.__module__.partition(".")[0] not in _COMPILED
    )
    return strange[0] if strange else None


def _walk(parts: Iterable[object], most: float, closed: set[type]) -> int:
    """Count numbers; note in `closed` the types of objects that cannot be looked into.

    The collector's own way through objects is taken: to ask one for its `__dict__` would slow
    it down for good, up to Python 3.12.
    """
    count = 0
    seen: set[int] = set()
    stack: list[Any] = [*parts]
    while stack and count <= most:
        found = stack.pop()
        kind = type(found)
        if kind in _NUMBERS:
            count += 1
        elif kind in _PLAIN or isinstance(found, _PASSED):
            continue
        elif kind.__flags__ & _COLLECTED:
            if id(found) not in seen:
                seen.add(id(found))
                stack += [found.__self__] if kind is MethodType else gc.get_referents(found)
        elif isinstance(found, Sized):
            count += _held(found)
        elif hasattr(found, "dtype"):
            count += 1  # one of NumPy's numbers
        else:
            closed.add(kind)
    return count


def _held(found: Sized) -> int:
    """Return how many numbers an array has, or a mapping in compiled code."""
    try:
        return int(getattr(found, "size", None) or len(found))
    except TypeError:  # an array of no dimensions
        return 1
