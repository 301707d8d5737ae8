"""Writes deploy/grafana/dashboards: `python -m tools.dashboards`."""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from tools.dashboards.operations import operations
from tools.dashboards.overview import overview
from tools.dashboards.quality import quality
from tools.dashboards.runbook import runbook

FOLDER = Path(__file__).parent.parent.parent / "deploy" / "grafana" / "dashboards"
BOARDS = {
    "overview": overview,
    "quality": quality,
    "operations": operations,
    "runbook": runbook,
}


def text(name: str) -> str:
    """Return a dashboard as the JSON that Grafana provisions."""
    return json.dumps(BOARDS[name](), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    for name in BOARDS:
        (FOLDER / f"{name}.json").write_text(text(name))
