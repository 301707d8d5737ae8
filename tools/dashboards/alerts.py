"""The sections of docs/runbook.md: what to do about each alert."""

from __future__ import annotations

import re
from pathlib import Path

RUNBOOK = "driftline-runbook"
"""The uid of the dashboard that holds them."""
_PAGE = Path(__file__).parent.parent.parent / "docs" / "runbook.md"


def sections() -> dict[str, str]:
    """Return the text of each section by the name of its alert, in their order."""
    parts = re.split(r"^## (\w+)\n", _PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def link(alert: str) -> str:
    """Return where a person reads what to do about an alert: one panel, seen alone."""
    return f"/d/{RUNBOOK}?viewPanel={1 + [*sections()].index(alert)}"
