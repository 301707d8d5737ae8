"""Look for known holes in what the locks name, and for secrets in the files that git keeps.

    python tools/audit.py

Runs pip-audit and detect-secrets, which have an environment of their own: `make audit`. Ends
with 0 where there is nothing, 1 where something was found, and 3 where the advisories could
not be had: then nothing is known, and a run elsewhere must tell.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-audit.lock")
FOUND, UNKNOWN = 1, 3
PASSED_OVER = r"^(tests/corpus/.*|.*\.lock)$"
"""Files full of long numbers: records with something wrong in them, and digests."""
MADE_UP = (
    r"^(nope|pw|secret|hush(-\d)?|[0-9a-f]{16}|guessed|not-a-secret|hunt.*|river\.facto\.)$"
)
"""What stands for a secret in tests and examples, or only looks like one."""
_LATE = 300
"""Seconds that the advisories of one lock may take."""


def advisories(answer: str) -> tuple[list[str], int, int]:
    """Return the holes in pip-audit's JSON, how many packages there are, how many are unknown.

    It calls a package that its service does not know a success; to us that is no answer.

    >>> advisories('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}')
    ([], 1, 0)
    """
    packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    unknown = [each for each in packages if "skip_reason" in each]
    holes = [
        f"{each['name']} {each['version']} has {hole['id']}"
        + (f", mended in {', '.join(hole['fix_versions'])}" if hole["fix_versions"] else "")
        for each in packages
        for hole in each.get("vulns", ())
    ]
    return holes, len(packages), len(unknown)


def findings(answer: str) -> list[str]:
    """Return the places in detect-secrets' JSON that look like secrets.

    >>> findings('{"results": {"a.py": [{"type": "Private Key", "line_number": 7}]}}')
    ['a.py:7 looks like a secret (Private Key)']
    """
    results: dict[str, list[dict[str, Any]]] = json.loads(answer)["results"]
    return [
        f"{path}:{each['line_number']} looks like a secret ({each['type']})"
        for path, found in results.items()
        for each in found
    ]


def audit_lock(lock: str) -> int:
    """Say what is known of the packages of a lock; return what to end with."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["--requirement", lock, "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=_LATE, check=False
        )
        holes, count, unknown = advisories(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        print(f"{lock}: the advisories could not be had ({type(error).__name__}); try again")
        return UNKNOWN
    say(f"{lock}: {hole}" for hole in holes)
    if unknown:
        print(
            f"{lock}: the service of advisories does not answer for {unknown} of {count} "
            "packages, so nothing is known of these; run it where that can be reached"
        )
    else:
        print(f"{lock}: {count} packages, {len(holes)} known holes")
    return FOUND if holes else UNKNOWN if unknown else 0


def scan_files() -> int:
    """Say what looks like a secret in the files that git keeps; return what to end with."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    command = [sys.executable, "-m", "detect_secrets", "scan", "--no-verify"]
    command += ["--exclude-files", PASSED_OVER, "--exclude-secrets", MADE_UP, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = findings(done.stdout)
    say(found)
    print(f"{len(names)} files, {len(found)} with what looks like a secret")
    return FOUND if found else 0


def say(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        print(line)


def main() -> None:
    """Look everywhere, and end with what was the worst: found, unknown, nothing."""
    codes = {scan_files(), *map(audit_lock, LOCKS)}
    sys.exit(FOUND if FOUND in codes else max(codes))


if __name__ == "__main__":
    main()
