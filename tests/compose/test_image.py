"""What the image holds, and what it does not."""

import json
import re
import tarfile
import tomllib

import pytest

from tests.compose.stack import docker
from tests.system.lives import ROOT

HARDENED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
LOOK = ("run", "--rm", "--network=none", *HARDENED)
SECRETS = re.compile(r"(^|/)(\.env|\.git|\.netrc|\.pypirc|pip\.conf|.*\.key|id_\w+|key)$")
TOOLS = ("pip", "gcc", "cc", "make", "git", "curl", "uv")


def sh(image, script, *how):
    """Return what a shell in a container of the image writes."""
    return docker(*LOOK, *how, "--entrypoint=sh", image, "-c", script)


@pytest.fixture(scope="module")
def about(image):
    """Give all that Docker knows of the image."""
    return json.loads(docker("image", "inspect", image))[0]


def test_it_runs_as_a_number_that_is_not_root(image, about):
    """Whoever runs it can see so without looking into it, and so it is."""
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", about["Config"]["User"])
    assert sh(image, "id -u; id -g").split() == about["Config"]["User"].split(":")


def test_it_says_what_it_is_and_how_it_ends(about):
    """Its labels name it, its version is the project's, and it is stopped by SIGTERM."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    labels = {
        name.removeprefix("org.opencontainers.image."): text
        for name, text in about["Config"]["Labels"].items()
    }
    assert labels["title"] == project["name"]
    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]
    assert labels["revision"]
    assert about["Config"]["StopSignal"] == "SIGTERM"


def test_the_pipeline_runs_where_nothing_can_be_written(image):
    """With a read-only file system and no right at all, the demo learns as everywhere else."""
    options = ("--until-end", "--limit", "2000", "--port", "0", "--json")
    here = docker(*LOOK, image, "demo", *options, patience=120)
    assert json.loads(here.splitlines()[-1])["samples"] == 2000


def test_no_file_lends_rights(image):
    """No program in it runs as somebody else than who starts it."""
    script = "find / -xdev -perm /6000 -type f"
    assert sh(image, script, "--user=0", "--cap-add=DAC_READ_SEARCH") == ""


def test_nothing_in_it_builds_or_fetches(image):
    """Neither compilers nor package managers of Python's are left."""
    assert sh(image, f"for it in {' '.join(TOOLS)}; do command -v $it; done; true") == ""
    packages = sh(image, "ls /opt/driftline/lib/python3.*/site-packages")
    assert not {"pip", "setuptools", "wheel", "pytest", "mypy", "ruff"} & {*packages.split()}


def test_it_holds_what_the_lock_names(image):
    """Each package in it has the version of the lock, and all that we need is there."""
    lock = (ROOT / "requirements.lock").read_text()
    locked = re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE)
    script = (
        "from importlib.metadata import distributions\n"
        "for it in distributions(): print(it.name, it.version)"
    )
    found = docker(*LOOK, "--entrypoint=python", image, "-c", script).splitlines()
    held = {(normal(name), number) for name, number in map(str.split, found)}
    names = {name for name, _ in held}
    assert {"driftline", "river", "kafka-python", "crc32c", "pyarrow", "fastavro"} <= names
    strangers = held - {(normal(name), number) for name, number in locked}
    assert {name for name, _ in strangers} == {"driftline"}


def normal(name):
    """Return a package's name as every spelling of it is known."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_all_bytecode_is_there(image):
    """Python compiles nothing on its way up: who cannot write would do so each time."""
    script = (
        "import driftline.app, driftline.commands.learn, learner.loop, stream.kafka, sys\n"
        "import learner.models.river, learner.models.sklearn, importlib.util, os\n"
        "missing = [m.__file__ for m in list(sys.modules.values())\n"
        "           if (getattr(m, '__file__', None) or '').endswith('.py')\n"
        "           and not os.path.exists(importlib.util.cache_from_source(m.__file__))]\n"
        "print(len(sys.modules), missing)"
    )
    said = docker(*LOOK, "--entrypoint=python", image, "-c", script)
    count, missing = said.split(" ", 1)
    assert int(count) > 500
    assert missing.strip() == "[]"


def test_no_layer_holds_a_secret(image, about, tmp_path):
    """No layer of ours has a file that may be one, not even if a later one took it away."""
    archive = tmp_path / "image.tar"
    docker("save", "--output", str(archive), image, patience=300)
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)", (ROOT / "Dockerfile").read_text(), re.M))
    base = json.loads(docker("image", "inspect", f"python:{arguments['PYTHON']}"))[0]
    names = []
    with tarfile.open(archive) as saved:
        (manifest,) = json.load(saved.extractfile("manifest.json"))
        for member in manifest["Layers"][len(base["RootFS"]["Layers"]) :]:
            with tarfile.open(fileobj=saved.extractfile(member)) as layer:
                names += layer.getnames()
    archive.unlink()
    assert len(names) > 1000
    assert [it for it in names if SECRETS.search(it) and "/site-packages/" not in it] == []
    history = docker("history", "--no-trunc", "--format={{.CreatedBy}}", image)
    assert not re.search(r"(?i)password|secret|token|index-url", history + str(about["Config"]))


def test_a_secret_beside_the_dockerfile_stays_outside(engine, tmp_path):
    """What nobody has named is not even sent to Docker."""
    (tmp_path / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (tmp_path / "driftline").mkdir()
    for name in (".env", "driftline.key", "driftline.toml", "s.db", "driftline/app.py"):
        (tmp_path / name).write_text("hush")
    made = docker("build", "--quiet", str(tmp_path)).strip()
    container = docker("create", made, "none").strip()
    try:
        archive = tmp_path / "out.tar"
        docker("export", "--output", str(archive), container)
        with tarfile.open(archive) as files:
            told = {member.name for member in files if member.isfile() and member.size}
    finally:
        docker("rm", container)
        docker("image", "rm", made)
    assert told == {"driftline/app.py"}
