"""What docker-compose.yml, the Dockerfile and their settings promise, read without Docker."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from driftline.app import app
from driftline.sources import strangers
from producer.replay import Replay, describe

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OURS = ("producer", "learner", "monitor")
KNOB = re.compile(r"\$\{(\w+):-([^}]*)\}", re.DOTALL)


def knobs():
    """Return every variable of the compose file, with what it is where it is not set."""
    found = {name: " ".join(default.split()) for name, default in KNOB.findall(TEXT)}
    assert len(found) == len(set(re.findall(r"\$\{(\w+)", TEXT)))
    return found


def test_every_setting_is_in_the_example_with_its_default():
    """.env.example is complete and true; of the long one it has the beginning."""
    example = (ROOT / ".env.example").read_text()
    told = dict(re.findall(r"^#([A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert told.keys() == knobs().keys()
    for name, default in knobs().items():
        begins = told[name].removesuffix(" …")
        assert default == told[name] or (begins != told[name] and default.startswith(begins))


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_has_bounds_and_no_rights(name):
    """Nobody outside reaches it, nothing of it grows for ever, and it comes up again."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["restart"]
    assert service["stop_grace_period"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert name == "kafka" or service["read_only"] is True


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - set(OURS)))
def test_what_is_not_ours_is_pinned_and_looked_after(name):
    """A tag names one version, and a check of health tells whether it works."""
    assert re.fullmatch(r"[\w/]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", OURS)
def test_ours_are_one_image_and_check_themselves(name):
    """The command alone tells them apart; their health is asked for by driftline itself."""
    service = SERVICES[name]
    assert service["image"] == SERVICES["learner"]["image"]
    assert service["build"] == SERVICES["learner"]["build"]
    check, port = service["healthcheck"]["test"], re.search(r"--port (\d+)", service["command"])
    assert check[:-1] == ["CMD", "driftline", "health", "--url"]
    assert check[-1] == f"http://127.0.0.1:{port[1]}/readyz"
    stream = {value for key, value in service["environment"].items() if key.endswith("_STREAM")}
    assert len(stream) == 1


def test_every_variable_of_ours_is_a_setting():
    """A name that no command knows would stop all of them."""
    names = SERVICES["learner"]["environment"].keys()
    assert "DRIFTLINE_LEARN_STREAM" in names
    assert strangers(app, names) == []


def test_any_number_of_learners_may_run():
    """No name and no port is for one of them alone, and they share state."""
    learner = SERVICES["learner"]
    assert "container_name" not in TEXT
    assert learner["ports"] == ["127.0.0.1::8001"]
    assert learner["volumes"] == ["state:/var/lib/driftline"]
    assert learner["environment"]["DRIFTLINE_LEARN_STATE"].startswith("/var/lib/driftline/")


def test_no_word_stands_in_it_that_an_old_compose_refuses():
    """docker-compose 1.29.2 refuses these, and podman-compose 1.0.3 does not do them."""
    assert {key for key in COMPOSE if not key.startswith("x-")} == {"services", "volumes"}
    for service in SERVICES.values():
        assert not service.keys() & {"develop", "configs", "deploy", "env_file", "profiles"}
        assert "start_interval" not in service.get("healthcheck", {})
        assert service.get("depends_on", ["kafka"]) == ["kafka"]  # an order and no condition


def test_the_demos_stream_is_one_that_the_producer_takes():
    """Its schedule of drifts is possible: a container that is refused would start for ever."""
    words = shlex.split(knobs()["PRODUCE"])
    given = {name: [] for name in words if name.startswith("--")}
    for name, value in zip(words[::2], words[1::2], strict=True):
        given[name].append(value)
    assert given.keys() == {"--source", "--rate", "--partitions", "--drift"}
    preview = describe(Replay(source=given["--source"][0], drifts=tuple(given["--drift"])))
    assert len(preview.schema.classes) == 2


@pytest.mark.parametrize(
    ("service", "inside", "held"),
    [
        ("prometheus", "/etc/prometheus", "deploy/prometheus"),
        ("grafana", "/etc/grafana/provisioning", "deploy/grafana/provisioning"),
        ("grafana", "/etc/driftline/dashboards", "deploy/grafana/dashboards"),
    ],
)
def test_what_is_mounted_is_there(service, inside, held):
    """Rules, data source and dashboards come from deploy/, to be read only."""
    assert f"./{held}:{inside}:ro" in SERVICES[service]["volumes"]
    assert any((ROOT / held).rglob("*.*"))


def test_provisioning_speaks_of_what_is_mounted_and_of_services_there_are():
    """Grafana looks for dashboards where they lie, and asks the composed Prometheus."""
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    for provider in yaml.safe_load((folder / "dashboards/driftline.yml").read_text())[
        "providers"
    ]:
        path = provider["options"]["path"]
        assert any(volume.endswith(f":{path}:ro") for volume in SERVICES["grafana"]["volumes"])
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "deploy" / "grafana" / "dashboards" / Path(home).name).exists()
    assert Path(home).parent == Path(path)
    asked = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
    assert {"monitor:8000", "[learner]", "[producer]"} <= set(
        re.findall(r"monitor:8000|\[\w+\]", asked)
    )


def test_the_image_has_the_projects_version_and_packages():
    """Its label does not lag behind, and no package is kept from the build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f'image.version="{project["project"]["version"]}"' in dockerfile
    assert re.search(r"^ARG PYTHON=\d+\.\d+\.\d+-slim-\w+$", dockerfile, re.MULTILINE)
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    named = re.findall(r"^!(.+)/$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(packages)


def test_the_old_builder_makes_the_image():
    """What only BuildKit understands is not in it."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"--mount|--chmod|--link|<<|^# *syntax=", dockerfile, re.MULTILINE)
