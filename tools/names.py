"""Writes the names that the live page shows, as a script of it: `python -m tools.names`."""

from __future__ import annotations

import json
from pathlib import Path

from monitor.names import EVENTS, FIGURES, OF_NUMBERS

SCRIPT = Path(__file__).parent.parent / "monitor" / "static" / "js" / "names.js"
_TOP = """// What figures and events are called, made by `python -m tools.names`
// from monitor/names.py, where they are to be changed.
"""


def text() -> str:
    """Return the script."""
    tables = {"NAMES": FIGURES, "OF_NUMBERS": OF_NUMBERS, "EVENTS": EVENTS}
    parts = [
        f"\nexport const {name} = {json.dumps(table, indent=2, ensure_ascii=False)};\n"
        for name, table in tables.items()
    ]
    return _TOP + "".join(parts)


if __name__ == "__main__":
    SCRIPT.write_text(text(), encoding="utf-8")
