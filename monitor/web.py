"""What the monitor answers over HTTP besides its page: /metrics, /livez, /readyz."""

from __future__ import annotations

from stream.pages import routes as routes
