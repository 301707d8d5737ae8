"""driftline datasets."""

from __future__ import annotations

import json as text

from driftline.console import out


def datasets(*, json: bool = False) -> int:
    """List the data sets and generators there are by name; none needs the network.

    Parameters
    ----------
    json
        One line of JSON instead of one name a line.
    """
    from producer.sources.table import listings

    found = [each.name for each in listings()]
    out(text.dumps(found) if json else "\n".join(found))
    return 0
