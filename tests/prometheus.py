"""A real Prometheus that scrapes what a test runs, and ways to ask it."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml

from tools.kafka import free_port

PATIENCE = 60.0
RULES = sorted((Path(__file__).parent.parent / "deploy" / "prometheus").glob("*.rules.yml"))


class Prometheus:
    """Scrapes `targets`, addresses by job, each second, and applies our rules."""

    def __init__(self, folder, targets):
        program = shutil.which("prometheus")
        if program is None:
            assert "CI" not in os.environ, "prometheus is missing; tools/needs.sh installs it"
            pytest.skip("prometheus is not installed")
        jobs = [
            {"job_name": job, "static_configs": [{"targets": addresses}]}
            for job, addresses in targets.items()
        ]
        every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config = {"global": every, "rule_files": [*map(str, RULES)], "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self._port, self.began = free_port(), time.time()
        with (folder / "prometheus.log").open("wb") as log:
            self._running = subprocess.Popen(
                [
                    program,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                    "--log.level=warn",
                ],
                stdout=log,
                stderr=log,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._running.terminate()
        self._running.wait(PATIENCE)

    def get(self, path, **parameters):
        """Return what the API has to say; None while it does not answer."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        address = f"http://127.0.0.1:{self._port}/api/v1/{path}?{query}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 503:  # it starts
                    return None
                raise AssertionError(f"{parameters}: {error.read().decode()}") from None
        except (urllib.error.URLError, ConnectionError):
            return None

    def now(self, promql):
        """Return the values that a query gives now."""
        found = self.get("query", query=promql)
        return [float(it["value"][1]) for it in found["result"]] if found else []

    def drawn(self, promql):
        """Return the series that a query has had a number in since the start."""
        found = self.get(
            "query_range", query=promql, start=self.began, end=time.time(), step="1"
        )
        return [
            series["metric"]
            for series in found["result"]
            if any(value != "NaN" for _, value in series["values"])
        ]

    def series(self, selector):
        """Return the labels of all series of a selector since the start."""
        return self.get("series", **{"match[]": selector, "start": self.began})

    def await_(self, promql, seconds=PATIENCE):
        """Wait until a query gives something."""
        deadline = time.monotonic() + seconds
        while not self.now(promql):
            assert time.monotonic() < deadline, f"nothing came of {promql}"
            time.sleep(0.2)
