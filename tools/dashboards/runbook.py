"""The dashboard that says what to do: the runbook, a panel for each alert."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from tools.dashboards.alerts import RUNBOOK, sections
from tools.dashboards.parts import board, prose


def runbook() -> Dashboard:
    """Return the dashboard."""
    panels = [
        prose(name, text, height=4 + text.count("\n") // 2) for name, text in sections().items()
    ]
    says = "What each alert means, where to look first, and what helps."
    return board(RUNBOOK, "driftline: Runbook", says, [], [("", panels)], marked=False)
