"""driftline health."""

from __future__ import annotations

import urllib.error
import urllib.request

from driftline.console import tell


def health(*, url: str = "http://127.0.0.1:8000/readyz", timeout: float = 5.0) -> int:
    """Ask a running service whether it is alive (/livez) or ready (/readyz).

    Leaves with 0 when it is, with 1 when not: for the health checks of containers.

    Parameters
    ----------
    url
        Address to ask.
    timeout
        Seconds to wait for an answer.
    """
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            tell(f"{url}: {answer.status}")
            return 0
    except (urllib.error.URLError, OSError, ValueError) as error:
        tell(f"{url}: {error}")
        return 1
