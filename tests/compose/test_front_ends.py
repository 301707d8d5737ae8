"""The programs that read docker-compose.yml, old ones too, and what they make of it."""

import os
import shutil
import subprocess

import pytest
import yaml

from tests.compose.stack import UNSET
from tests.system.lives import ROOT

SERVICES = {"kafka", "producer", "learner", "monitor", "prometheus", "grafana"}
PARSER = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
"""The library by which `docker compose` reads its files, as a program."""
STUB = '#!/bin/sh\n[ "$1" = --version ] && echo podman version 4.3.1\nexit 0\n'


def run(*command, path=""):
    """Run a front end on the compose file, and return what it says of it."""
    variables = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    variables.pop("COMPOSE_FILE", None)
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def check(config):
    """Look at what a front end has made of anchors, merges and defaults."""
    services = config["services"]
    assert services.keys() >= SERVICES
    assert "kafka://kafka:19092/demo" in str(services["learner"]["environment"])
    assert "abrupt@18000" in str(services["producer"]["command"])
    assert "127.0.0.1:9092" in str(services["kafka"]["environment"])
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]


def missing(program):
    """Skip where a program is not installed, but not on CI."""
    assert "CI" not in os.environ, f"{program} is missing; tools/needs.sh --get installs it"
    pytest.skip(f"{program} is not installed")


def there(*command):
    """Return whether a program is there and runs."""
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def test_docker_compose_1_takes_it():
    """Debian's docker-compose 1.29.2 finds nothing to complain of in it."""
    if not there("docker-compose", "version"):
        missing("docker-compose")
    check(yaml.safe_load(run("docker-compose", "--env-file", UNSET, "config")))


@pytest.mark.timeout(300)
def test_docker_compose_2_and_later_take_it():
    """Nor does the library that reads it for `docker compose`, as part of it or by itself."""
    if there("docker", "compose", "version"):
        command = ["docker", "compose", "--env-file", UNSET, "config"]
    elif there("go", "version"):
        command = ["go", "run", PARSER, "docker-compose.yml"]
    else:
        missing("docker compose")
    check(yaml.safe_load(run(*command)))


def test_podman_compose_takes_it(tmp_path):
    """It reads the file, and would make of it the containers that are meant."""
    if shutil.which("podman-compose") is None:
        missing("podman-compose")
    # It only wants to see a podman; what it would ask of one is shown, and not done.
    (tmp_path / "podman").write_text(STUB)
    (tmp_path / "podman").chmod(0o755)
    said = run("podman-compose", "--dry-run", "up", "--detach", path=tmp_path)
    for service in SERVICES:
        assert f"io.podman.compose.service={service}" in said or f"_{service}_1" in said
    assert "-p 127.0.0.1:9092:9092" in said
    assert "--cap-drop ALL" in said
