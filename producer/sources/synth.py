"""River's generators and one of ours: endless, seeded, and with a drift schedule."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from producer.sources.calls import call_of, check_parameters
from producer.sources.drifts import concepts, drifting, schedule
from producer.sources.persistent import Persistent
from producer.sources.river import synth, task_of
from producer.sources.source import Listing, Mark, Source, unknown
from stream.errors import SettingError

# The parameter that chooses the concept, and how many there are; None for any number.
_CONCEPTS: dict[str, tuple[str, int | None]] = {
    "Agrawal": ("classification_function", 10),
    "Hyperplane": ("seed", None),
    "Mixed": ("classification_function", 2),
    "Persistent": ("seed", None),
    "RandomRBF": ("seed_model", None),
    "RandomRBFDrift": ("seed_model", None),
    "RandomTree": ("seed_tree", None),
    "SEA": ("variant", 4),
    "STAGGER": ("classification_function", 3),
    "Sine": ("classification_function", 4),
}
_FRIEDMAN = {"lea": "abrupt", "gra": "recurring", "gsg": "gradual"}


def generators() -> dict[str, Any]:
    """Return the classes of the generators that give one label, by name."""
    made = {
        name: getattr(synth, name) for name in synth.__all__ if name != "ConceptDriftStream"
    }
    given = {name: kind for name, kind in made.items() if task_of(kind())}
    return {**given, "Persistent": Persistent}


def listed() -> list[Listing]:
    """Return what is known of each generator with its own settings."""
    made = ((name, kind()) for name, kind in generators().items())
    return [
        Listing(
            name=f"synth:{name}",
            task=task_of(one),
            rows=one.n_samples,
            features=one.n_features,
            classes=len(_classes(one) or ()) or None,
        )
        for name, one in made
    ]


def open_synth(text: str, drifts: Sequence[str], seed: int) -> Source:
    """Return the generator written as `NAME` or `NAME(parameter=value, …)`.

    `seed` is for every seed that the text leaves open. After the n-th drift the rows come of
    a generator seeded with its seed + n, so that no row is told twice. Raises `SettingError`
    when the text names no generator, or one that cannot drift where `drifts` are asked.
    """
    name, given = call_of("synth", text, "Agrawal(seed=7, perturbation=0.1)")
    kind = generators().get(name)
    if kind is None:
        raise unknown("generator called", name, generators())
    known = list(inspect.signature(kind).parameters)
    check_parameters(f"synth:{name}", given, known)
    for parameter in known:
        if parameter.startswith("seed") and given.get(parameter) is None:
            given[parameter] = seed
    marks, first = schedule(drifts), _made(name, kind, given)
    path = [given, *_variants(name, given, marks)]
    strings = all(isinstance(feature, str) for feature in next(iter(first))[0])

    def rows() -> Iterator[tuple[dict[str, Any], Any]]:
        started = {repr(chosen): iter(kind(**chosen)) for chosen in path}
        pairs = drifting([started[repr(chosen)] for chosen in path], marks, seed=seed)
        return pairs if strings else (({str(k): v for k, v in x.items()}, y) for x, y in pairs)

    return Source(
        name=f"synth:{name}",
        rows=rows,
        label="label",
        task=task_of(first),
        classes=_classes(first),
        finite=False,
        marks=marks or _own_marks(name, first),
        rows_known=first.n_samples,
        uniform=True,
    )


def _made(name: str, kind: Any, given: dict[str, Any]) -> Any:
    try:
        made = kind(**given)
        next(iter(made))
    except (
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        AttributeError,
        StopIteration,
    ) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise SettingError(f"synth:{name} does not take {given!r}: {said}") from error
    return made


def _variants(
    name: str, given: dict[str, Any], marks: Sequence[Mark]
) -> Iterator[dict[str, Any]]:
    """Yield the parameters after each drift."""
    if marks and name not in _CONCEPTS:
        able = ", ".join(_CONCEPTS)
        raise SettingError(f"synth:{name} has one concept only and cannot drift; {able} can")
    for number in concepts(marks, _CONCEPTS[name][1])[1:] if marks else ():
        parameter, known = _CONCEPTS[name]
        if number == 0:
            yield given
            continue
        seeds = {key: value for key, value in given.items() if key.startswith("seed")}
        for key, value in seeds.items():
            if not isinstance(value, int):
                raise SettingError(
                    f"synth:{name} drifts from a {key} that is a whole number, not {value!r}"
                )
            seeds[key] = value + number
        start = given.get(parameter, 0) + number
        yield given | seeds | {parameter: start % known if known else start}


def _classes(made: Any) -> list[Any] | None:
    if task_of(made) != "classification":
        return None
    _, label = next(iter(made))
    return [False, True] if isinstance(label, bool) else list(range(made.n_classes))


def _own_marks(name: str, made: Any) -> tuple[Mark, ...]:
    """Return the drifts of the one generator that brings its own."""
    if name != "FriedmanDrift":
        return ()
    kind = _FRIEDMAN[made.drift_type]
    width = made.transition_window if kind == "gradual" else 1
    return tuple(Mark(kind, at, max(width, 1)) for at in made.position)
