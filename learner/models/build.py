"""From a specification to a model."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Sequence
from typing import Any

from learner.models.model import Model
from learner.models.presets import PRESETS, Spec
from stream.errors import SettingError
from stream.records import Label


def build(
    spec: Spec,
    *,
    seed: int,
    classes: Sequence[Label] | None = None,
    scaling: str | None = None,
    grain: int | None = None,
) -> Model:
    """Return a new model, seeded throughout.

    `spec` is the name of a preset, a dotted path to an estimator of River or scikit-learn, a
    table `{"class": PATH, argument: …}` whose values may be tables again, or a list of
    these, which is a pipeline of River's. `classes` are all labels there will be, where
    that is known. `scaling` goes before a scikit-learn estimator, the preset's own unless
    given. `grain` is how many samples it will be taught at once.

    A preset of River's is not shown features that are null; a model of one's own is, and
    may have an imputer. Raises `SettingError`.
    """
    preset = PRESETS.get(spec) if isinstance(spec, str) else None
    if preset:
        spec, scaling = preset.spec, scaling or preset.scaling
    elif isinstance(spec, str) and "." not in spec:
        close = difflib.get_close_matches(spec, PRESETS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "'driftline models' lists them"
        raise SettingError(f"model {spec!r} is not known; {hint}")
    estimator = construct(spec)
    if type(estimator).__module__.startswith("river."):
        return _river(estimator, seed, classes, skips_missing=preset is not None)
    if hasattr(estimator, "get_params"):
        from learner.models.sklearn import SklearnModel, seeded

        return SklearnModel(
            seeded(estimator, seed),
            scaling=scaling or "standard",
            classes=classes,
            grain=grain,
        )
    if hasattr(estimator, "learn_one"):
        return _river(estimator, seed, classes, skips_missing=preset is not None)
    raise SettingError(
        f"model {type(estimator).__name__} has neither learn_one nor partial_fit; "
        "'driftline models' lists what can be learned"
    )


def _river(
    estimator: Any, seed: int, classes: Sequence[Label] | None, *, skips_missing: bool
) -> Model:
    from learner.models.river import RiverModel, one_vs_rest, seeded

    model = RiverModel(seeded(estimator, seed), skips_missing)
    if model.binary and classes and len(set(classes)) > 2:
        return RiverModel(one_vs_rest(model.estimator), skips_missing)
    return model


def construct(spec: Spec, what: str = "model") -> Any:
    """Return the object a specification stands for. Raises `SettingError`.

    `what` is what it is called there.

    >>> construct({"class": "fractions.Fraction", "numerator": 1, "denominator": 3})
    Fraction(1, 3)
    """
    if isinstance(spec, list) and spec:
        from learner.models.river import pipeline

        return pipeline([construct(step) for step in spec])
    if isinstance(spec, str):
        return construct({"class": spec}, what)
    if not isinstance(spec, dict) or not isinstance(spec.get("class"), str):
        raise SettingError(
            f"{what} {spec!r} must be a name, a dotted path, a table with 'class' or a list "
            "of these"
        )
    arguments = {key: _argument(value) for key, value in spec.items() if key != "class"}
    target = resolve(spec["class"])
    try:
        return target(**arguments)
    except (AttributeError, TypeError, ValueError) as error:
        raise SettingError(
            f"{what} {spec['class']!r} cannot be made: {error}; it takes {_takes(target)}, and "
            "an argument that is an estimator is a table with 'class'"
        ) from error


def _takes(target: Any) -> str:
    try:
        return ", ".join(inspect.signature(target).parameters) or "nothing"
    except ValueError:
        return "what its documentation says"


def _argument(value: Any) -> Any:
    """Construct what is a specification itself; leave all else as it is."""
    if isinstance(value, dict) and "class" in value:
        return construct(value)
    if isinstance(value, list):
        return [_argument(each) for each in value]
    return value


def resolve(path: str) -> Any:
    """Return what a dotted path names. Raises `SettingError`."""
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingError(f"{path!r} cannot be imported: {error}; check the path") from error
    if not callable(found):
        raise SettingError(f"{path!r} is not a class; name the class itself")
    return found
