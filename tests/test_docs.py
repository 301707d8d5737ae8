"""What the documents name exists, and what they show runs."""

import doctest
import importlib
import re
import subprocess
from pathlib import Path

import pytest

from driftline.app import app
from learner.policies.table import POLICIES
from monitor.metrics import METRICS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
DOCS = sorted((ROOT / "docs").glob("*.md"))
COMMANDS = [
    "demo",
    "produce",
    "learn",
    "monitor",
    "compare",
    "report",
    "outcomes",
    "predictions",
    "dead",
    "promote",
    "models",
    "datasets",
    "checkpoints",
    "config",
    "doctor",
    "health",
]
PARTS = {"checkpoints": ("list", "show", "verify", "key"), "config": ("init", "show", "schema")}
PACKAGES = ("stream", "producer", "learner", "monitor", "driftline")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.name not in ("__main__.py", "__init__.py")
)


def options():
    """Return every flag of every command."""
    found = {"--help", "--version"}
    for name in COMMANDS:
        command = app[name]
        parts = [command[part] for part in PARTS[name]] if name in PARTS else [command]
        for part in parts:
            for argument in part.assemble_argument_collection():
                found.update(each for each in argument.names if each.startswith("--"))
    return found


def test_every_command_is_in_readme_and_every_one_there_exists():
    """The table of commands is complete and true."""
    for name in COMMANDS:
        assert app[name] is not None
        assert f"`{name}`" in README, name
    listed = set(re.findall(r"^\| `([\w-]+)`", README, re.MULTILINE))
    assert listed <= set(COMMANDS) | {m.name for m in METRICS} | set(POLICIES)


def test_the_policies_of_readme_are_all_the_policies_there_are():
    """The table of policies is complete and true."""
    table = README[README.index("| policy |") :].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()]
    assert {name for row in rows for name in re.findall(r"`([\w+-]+)`", row)} == set(POLICIES)


def test_every_flag_that_readme_names_exists():
    """No option in README is made up."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert named, "README names no flag at all"
    assert named <= options()


def test_every_metric_that_readme_names_exists():
    """README makes none up; docs/metrics.md has all of them."""
    named = set(re.findall(r"\bdriftline_[a-z0-9_]+", README))
    assert named <= {metric.name for metric in METRICS}


def test_every_make_target_that_is_named_exists():
    """README, ARCHITECTURE and docs/ name no target that make does not know."""
    makefile = (ROOT / "Makefile").read_text()
    pages = "\n".join([README, ARCHITECTURE, *(it.read_text() for it in DOCS)])
    for target in re.findall(
        r"`make ([a-z-]+)[` ]|^ {4}.*\bmake ([a-z-]+)$", pages, re.MULTILINE
    ):
        assert re.search(rf"^{''.join(target)}:", makefile, re.MULTILINE), target


def test_every_slow_file_is_there():
    """One that was given another name would be slow in 'make test' again."""
    named = (ROOT / "tests" / "slow.txt").read_text().split()
    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []


def test_architecture_is_short_and_names_files_that_exist():
    """At most 150 lines; each file in the map is there."""
    assert len(ARCHITECTURE.splitlines()) <= 150
    folder = None
    for line in ARCHITECTURE.split("## File map")[1].split("## Invariants")[0].splitlines():
        if match := re.match(r" {4}(\w+)/ ", line):
            folder = ROOT / match[1]
            assert folder.is_dir(), folder
        elif folder and line.startswith("      "):
            for name in re.findall(r"\b\w+\*?\.py\b", line.split("  ", 4)[-1]):
                assert list(folder.rglob(name)), f"{folder.name}/{name}"


def test_the_python_in_readme_runs_and_prints_what_it_says(tmp_path, monkeypatch, capsys):
    """The comment behind each print is what is printed."""
    monkeypatch.chdir(tmp_path)
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    exec(compile(block, "README.md", "exec"), {})
    said = re.findall(r"print\(.*\)  # (.*)", block)
    assert capsys.readouterr().out.split() == said


def test_the_pipeline_in_readme_is_a_model():
    """The JSON of the example builds."""
    from driftline.settings import spec
    from learner.models.build import build

    text = re.search(r"--model '(\[.*?\])'", README, re.DOTALL)[1]
    assert build(spec(text), seed=1).binary


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_are_true(module):
    """Every doctest gives what it says."""
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0


def test_make_without_a_target_lists_the_targets():
    """The help is the default, and names what README names."""
    said = subprocess.run(
        ["make"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=30
    ).stdout
    for target in ("install", "demo", "test", "check", "bench"):
        assert f"make {target}" in said
