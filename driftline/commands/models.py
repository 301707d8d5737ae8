"""driftline models."""

from __future__ import annotations

import json as text

from driftline.console import out
from learner.models.presets import PRESETS, Spec


def models(*, json: bool = False) -> int:
    """List the models there are by name: task, labels, scaling and exact construction.

    Parameters
    ----------
    json
        One line of JSON instead of a table.
    """
    rows = [
        {
            "model": name,
            "dialect": "river" if "river." in str(preset.spec) else "scikit-learn",
            "labels": preset.labels,
            "scaling": preset.scaling,
            "construction": construction(preset.spec),
        }
        for name, preset in PRESETS.items()
    ]
    if json:
        out(text.dumps(rows))
        return 0
    for row in rows:
        out(f"{row['model']}\n    {row['construction']}")
        scaling = "" if row["scaling"] == "none" else f"; {row['scaling']} scaling before it"
        out(f"    {row['dialect']}; labels: {row['labels']}{scaling}")
    return 0


def construction(spec: Spec) -> str:
    """Return a specification as the Python that makes it.

    >>> construction([{"class": "a.B", "n": 3}, "c.D"])
    'a.B(n=3) | c.D()'
    """
    if isinstance(spec, list):
        return " | ".join(construction(step) for step in spec)
    if isinstance(spec, str):
        return f"{spec}()"
    arguments = (
        f"{key}={construction(value) if isinstance(value, dict) else repr(value)}"
        for key, value in spec.items()
        if key != "class"
    )
    return f"{spec['class']}({', '.join(arguments)})"
