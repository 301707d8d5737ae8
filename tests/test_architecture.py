"""What the house promises about itself, read from its source without running it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What each package may import of the others, itself aside.
FLOORS = {
    "stream": set(),
    "producer": {"stream"},
    "learner": {"stream"},
    "monitor": {"stream"},
    "driftline": {"stream", "producer", "learner", "monitor"},
}

# The files that may import a library; a folder, with its slash, stands for all within.
# Every third-party library has a line, and so has what is dangerous or easily spread in
# the standard library.
DOORS = {
    "cyclopts": {"driftline/"},
    "fastavro": {"producer/sources/avro.py"},
    "fsspec": {"learner/state.py"},
    "hmac": {"learner/signed.py"},
    "kafka": {
        "stream/kafka.py",
        "stream/kafka_cluster.py",
        "stream/kafka_codecs.py",
        "stream/kafka_forgotten.py",
        "stream/kafka_growth.py",
        *(
            f"stream/kafka_{name}.py"
            for name in ("configs", "login", "marks", "members", "open", "probe", "rights")
        ),
        "stream/kafka_seat.py",
        "stream/kafka_settings.py",
        "stream/kafka_topic.py",
        "stream/kafka_writer.py",
    },
    "matplotlib": {"driftline/report/png.py"},
    "msgspec": {"stream/records.py", "learner/serving/"},
    "numpy": {f"learner/models/{name}.py" for name in ("guesses", "sklearn", "vectors")},
    "pickle": {"learner/pickled.py"},
    "prometheus_client": {"stream/metrics.py"},
    "psutil": {"learner/resources.py"},
    "pyarrow": {"producer/sources/arrow.py", "producer/sources/arrow_columns.py"},
    "rich": {"driftline/"},
    "river": {
        "learner/detectors.py",
        "learner/inputs.py",
        "learner/models/rate.py",
        "learner/models/river.py",
        "learner/models/traces.py",
        "monitor/confusion.py",
        "monitor/regression.py",
        "producer/sources/river.py",
    },
    "sklearn": {
        "learner/models/sklearn.py",
        "monitor/ranking.py",
        "producer/sources/sklearn.py",
    },
    "sqlite3": {"stream/sqlite_db.py", "stream/sqlite_file.py", "stream/sqlite_writer.py"},
    "sse_starlette": {"monitor/page.py"},
    "starlette": {"learner/serving/", "monitor/page.py", "stream/pages.py", "stream/web.py"},
    "structlog": {"driftline/"},
    "threadpoolctl": {"learner/models/sklearn.py"},
    "uvicorn": {"stream/web.py"},
}

# One character of each is bracketed, so that no pattern finds itself in this file.
STRAYS = {
    "a path of one machine": re.compile(
        r"(?<![\w.])/(?:root|work|home/\w+|Users/\w+|opt/wheels|tmp/w)[/]|\b[A-Z]:[\\]Users"
    ),
    "the host of a registry": re.compile(
        r"pypi[.]org|pythonhosted[.]org|repo1?[.]maven\b|registry[.]npmjs|"
        r"(?:deb|security)[.]debian[.]org|archive[.]ubuntu[.]com"
    ),
    "the address of an index": re.compile(r"^-{2}(?:(?:extra-)?index-url|find-links)\b", re.M),
}


def source_files(root: Path) -> dict[str, ast.Module]:
    """Return the syntax tree of every file of the five packages, by its path from `root`."""
    return {
        path.relative_to(root).as_posix(): ast.parse(path.read_bytes())
        for package in FLOORS
        for path in sorted((root / package).rglob("*.py"))
    }


def imports(file: str, tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Yield (module, name) for every import in a file, however deep it stands.

    A relative module comes out absolute, and `importlib.import_module("a.b")` counts like
    `import a.b`: late or by its name, an import is an import.
    """
    package = Path(file).parent.parts
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, None) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else ()
                absolute = ".".join((*above, *([module] if module else [])))
                yield from ((absolute, alias.name) for alias in names)
            case ast.Call(
                func=ast.Attribute(attr="import_module")
                | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield module, None


def top(module: str) -> str:
    """Return the first word of a dotted name."""
    return module.partition(".")[0]


def file_of(module: str, name: str | None, files: dict[str, ast.Module]) -> str | None:
    """Return the file of ours that an import reads, the submodule before its package."""
    path = module.replace(".", "/")
    candidates = [f"{path}/{name}.py", f"{path}/{name}/__init__.py"] if name else []
    candidates += [f"{path}.py", f"{path}/__init__.py"]
    return next((candidate for candidate in candidates if candidate in files), None)


def imports_upwards(root: Path) -> list[str]:
    """Name every import of a package from one that may not know it."""
    return [
        f"{file} imports {module}, but {top_folder} may import "
        f"only {', '.join(sorted({top_folder, *FLOORS[top_folder]}))} of this project"
        for file, tree in source_files(root).items()
        for top_folder in [file.partition("/")[0]]
        for module, _ in imports(file, tree)
        if top(module) in FLOORS.keys() - FLOORS[top_folder] - {top_folder}
    ]


def circles(root: Path) -> list[str]:
    """Name a circle of files that import one another, if there is any."""
    files = source_files(root)
    reads = {
        file: {file_of(module, name, files) for module, name in imports(file, tree)}
        - {None, file}
        for file, tree in files.items()
    }
    try:
        TopologicalSorter(reads).prepare()
    except CycleError as error:
        return ["these files import one another: " + " <- ".join(error.args[1])]
    return []


def missed_doors(root: Path) -> list[str]:
    """Name every import of a library outside its door, or of one that has none."""
    missed = []
    for file, tree in source_files(root).items():
        for library in sorted(
            {top(module) for module, _ in imports(file, tree)} - FLOORS.keys()
        ):
            doors = DOORS.get(library)
            if doors is None and library not in sys.stdlib_module_names:
                missed.append(
                    f"{file} imports {library}, which has no door in {Path(__file__).name}"
                )
            elif doors and not any(
                file.startswith(door) if door.endswith("/") else file == door for door in doors
            ):
                missed.append(
                    f"{file} imports {library}, but the door of {library} is "
                    f"{' or '.join(sorted(doors))}"
                )
    return missed


def undocumented(root: Path) -> list[str]:
    """Name every module, public class and public function without a docstring."""

    def look(node: ast.AST, path: str) -> Iterator[str]:
        if ast.get_docstring(node) is None:
            yield f"{path} has no docstring"
        if isinstance(node, ast.Module | ast.ClassDef):
            for child in node.body:
                if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                decorators = {ast.unparse(it).rpartition(".")[2] for it in child.decorator_list}
                if not child.name.startswith("_") and not decorators & {
                    "overload",
                    "override",
                    "setter",
                }:
                    yield from look(child, f"{path}:{child.name}")

    return [gap for file, tree in source_files(root).items() for gap in look(tree, file)]


def unexplained_tests(root: Path) -> list[str]:
    """Name every test without a docstring."""
    return [
        f"{path.relative_to(root).as_posix()}:{node.name} does not say what it holds"
        for path in sorted((root / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and ast.get_docstring(node) is None
    ]


def packages_of_tests(root: Path) -> list[str]:
    """Name every `__init__.py` under tests."""
    return [
        f"{path.relative_to(root).as_posix()} makes a package that can hide a real one"
        for path in sorted((root / "tests").rglob("__init__.py"))
    ]


def project_files(root: Path) -> list[Path]:
    """Return the files that git keeps or would keep; without git, all but the hidden ones."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=root, capture_output=True, check=True).stdout
        paths = [root / name for name in names.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = []
    found = paths or [
        path
        for path in root.rglob("*")
        if not any(
            (part.startswith(".") and part != ".ci") or part == "__pycache__"
            for part in path.relative_to(root).parts
        )
    ]
    return sorted(path for path in found if path.is_file())


def strays(root: Path) -> list[str]:
    """Name every line that speaks of one machine, or of where packages are fetched."""
    return [
        f"{path.relative_to(root).as_posix()}:{text.count(chr(10), 0, found.start()) + 1} "
        f"holds {what}: {found[0]!r}"
        for path in project_files(root)
        for text in [path.read_text(errors="replace")]
        for what, pattern in STRAYS.items()
        for found in pattern.finditer(text)
    ]


def report(faults: list[str]) -> None:
    """Fail with one line a fault, if there is any."""
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


def test_imports_run_down():
    """A package imports only itself and what stands below it."""
    report(imports_upwards(ROOT))


def test_no_files_import_one_another():
    """No import circle runs through our files, late and type-only imports included."""
    report(circles(ROOT))


def test_each_library_comes_in_by_its_door():
    """A library is imported only where the table says, and every library is in it."""
    report(missed_doors(ROOT))


def test_all_that_is_public_is_documented():
    """Every module, public class and public function has a docstring."""
    report(undocumented(ROOT))


def test_every_test_says_what_it_holds():
    """Every test has a docstring."""
    report(unexplained_tests(ROOT))


def test_no_folder_of_tests_is_a_package():
    """No `__init__.py` stands under tests, where it could hide the package of that name."""
    report(packages_of_tests(ROOT))


def test_no_file_speaks_of_one_machine():
    """No file holds a path of the machine it was written on, or the host of a registry."""
    report(strays(ROOT))


@pytest.mark.parametrize(
    ("check", "file", "text", "sentence"),
    [
        (
            imports_upwards,
            "stream/a.py",
            "def f():\n    from learner import loop",
            "imports learner,",
        ),
        (imports_upwards, "learner/a.py", "import monitor.web", "imports monitor.web,"),
        (imports_upwards, "producer/a.py", "import_module('driftline')", "imports driftline,"),
        (circles, "stream/a.py", "def f():\n    from stream import b", "import one another"),
        (
            circles,
            "stream/a.py",
            "if TYPE_CHECKING:\n    from .b import x",
            "import one another",
        ),
        (
            missed_doors,
            "stream/memory.py",
            "import sqlite3",
            "the door of sqlite3 is stream/sqlite_db.py",
        ),
        (
            missed_doors,
            "learner/loop.py",
            "from river.drift import ADWIN",
            "the door of river is",
        ),
        (
            missed_doors,
            "learner/a.py",
            "importlib.import_module('sklearn.svm')",
            "of sklearn is",
        ),
        (missed_doors, "monitor/a.py", "import requests", "requests, which has no door"),
        (undocumented, "stream/a.py", "x = 1", "stream/a.py has no docstring"),
        (undocumented, "stream/a.py", "'A.'\nclass A:\n    pass", "a.py:A has no docstring"),
        (
            undocumented,
            "stream/a.py",
            "'A.'\nclass A:\n    'A.'\n    def f(self): 0",
            ":A:f has no",
        ),
        (unexplained_tests, "tests/x/test_a.py", "def test_a(): 0", ":test_a does not say"),
        (packages_of_tests, "tests/learner/__init__.py", "", "tests/learner/__init__.py makes"),
        (strays, "a.md", "one\n/ro" + "ot/.m2", "a.md:2 holds a path of one machine"),
        (strays, "a.lock", "--index" + "-url x", "a.lock:1 holds the address of an index"),
        (strays, "a.txt", "https://pypi" + ".org/x", "a.txt:1 holds the host of a registry"),
    ],
)
def test_a_planted_fault_is_found(tmp_path, check, file, text, sentence):
    """Each check is silent about a sound tree and names the fault planted in it."""
    for sound in ("stream/b.py", file):
        (tmp_path / sound).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "stream/b.py").write_text(
        '"""B."""\nfrom stream import a\nfrom json import loads\n'
    )
    assert check(tmp_path) == []

    (tmp_path / file).write_text(text)

    (found,) = check(tmp_path)
    assert sentence in found
