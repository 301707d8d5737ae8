"""A real browser that looks at the page, and whatever it should never do."""

import contextlib
import hashlib
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import TimeoutError, sync_playwright

AXE = Path(__file__).parent.parent / "vendor" / "axe" / "axe.min.js"
DIGEST = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""SHA-256 of axe-core 4.14.1, as npm has it."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 20_000
"""Milliseconds after which the page is taken not to come to show something."""


def chromium():
    """Return the path of the browser; a suite must never pass because it was missing."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "no Chromium on PATH; tools/needs.sh installs it, or says how"
    return path


@contextlib.contextmanager
def browsing():
    """Give a browser for as long as it is needed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Visit:
    """A page that is looked at, and what it does beside showing something."""

    def __init__(self, browser, url, *, width=1280, height=800, dark=False):
        self.url, self.faults = url, []
        scheme = "dark" if dark else "light"
        size = {"width": width, "height": height}
        self._context = browser.new_context(viewport=size, color_scheme=scheme)
        self.page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: self.faults.append(dialog.message))
        self._context.on("request", self._asked)
        self.page.goto(url)

    def _heard(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _asked(self, request):
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.faults.append(f"asked {request.url}")

    def says(self, words, where="body"):
        """Wait until a part of the page says something, and return all that it says."""
        look = "([where, words]) => document.querySelector(where)?.textContent.includes(words)"
        try:
            self.page.wait_for_function(look, arg=[where, words])
        except TimeoutError:
            said = self.page.text_content(where)
            raise AssertionError(f"{where} says {said!r}, not {words!r}") from None
        return self.page.text_content(where)

    def figure(self, name):
        """Return the value behind a tile, exact."""
        return float(self.page.get_attribute(f"[data-figure={name}]", "data-value"))

    def rows(self, section):
        """Return the texts of a table, row by row."""
        return self.page.evaluate(
            "(s) => [...document.querySelectorAll(`#${s} tbody tr`)]"
            ".map((row) => [...row.cells].map((cell) => cell.textContent))",
            section,
        )

    def violations(self):
        """Return what axe-core finds wrong, as the rule and where."""
        text = AXE.read_bytes()
        assert hashlib.sha256(text).hexdigest() == DIGEST
        # By the browser's own door: no page of ours lets a script in from elsewhere.
        self.page.evaluate(text.decode())
        found = self.page.evaluate("axe.run()")
        return [
            (it["id"], node["target"], node["failureSummary"])
            for it in found["violations"]
            for node in it["nodes"]
        ]

    def close(self):
        """Leave the page."""
        self._context.close()
