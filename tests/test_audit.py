"""What `make audit` makes of what its tools answer; those have an environment of their own."""

import doctest
import json
import subprocess

import pytest

from tools import audit

HOLE = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
SOUND = {"name": "a", "version": "1.0", "vulns": []}
HOLED = {"name": "b", "version": "1.5", "vulns": [HOLE]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


def test_its_examples_are_true():
    """Every doctest gives what it says."""
    assert doctest.testmod(audit).attempted >= 2
    assert doctest.testmod(audit).failed == 0


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (json.dumps({"dependencies": [SOUND]}), 0, "1 packages, 0 known holes"),
        (json.dumps({"dependencies": [SOUND, HOLED]}), 1, "b 1.5 has PYSEC-1, mended in 2.0"),
        (json.dumps({"dependencies": [SOUND, UNKNOWN]}), 3, "does not answer for 1 of 2"),
        (json.dumps({"dependencies": [HOLED, UNKNOWN]}), 1, "b 1.5 has PYSEC-1"),
        ("", 3, "the advisories could not be had"),
    ],
)
def test_no_answer_is_no_good_answer(monkeypatch, capsys, answer, code, says):
    """A package that the service does not know fails the audit, with a code of its own."""
    done = subprocess.CompletedProcess([], 0, stdout=answer, stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)

    assert audit.audit_lock("some.lock") == code
    assert says in capsys.readouterr().out
