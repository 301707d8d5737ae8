"""The manifests of deploy/kubernetes: valid, true to each other and to the command line."""

import copy
import re
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from driftline.app import app

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.30", kubernetes_validate.latest_version())
"""The oldest Kubernetes that is promised, and the newest that is known."""
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
DOCUMENTS = [
    document
    for name in KUSTOMIZATION["resources"]
    for document in yaml.safe_load_all((FOLDER / name).read_text())
]
NAMES = [f"{each['kind']}/{each['metadata']['name']}" for each in DOCUMENTS]
WORKLOADS = {
    each["spec"]["template"]["spec"]["containers"][0]["name"]: each
    for each in DOCUMENTS
    if "template" in each.get("spec", {})
}
COMMANDS = {"producer": "produce", "learner": "learn", "monitor": "monitor"}


def pod(name):
    """Return the specification of a workload's pods, and that of their one container."""
    spec = WORKLOADS[name]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


def of_kind(kind):
    """Return the documents of a kind by their names."""
    return {each["metadata"]["name"]: each for each in DOCUMENTS if each["kind"] == kind}


def flags(args):
    """Return the options of a command line by their names, each written as --NAME=VALUE."""
    return dict(each.removeprefix("--").split("=", 1) for each in args)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_kubernetes_knows_every_field(document, version):
    """By its own schemas, in which a field that is misspelt is none."""
    kubernetes_validate.validate(document, version, strict=True)


def test_what_kubernetes_does_not_know_is_refused():
    """The validator sees a misspelt field, deep in a pod; so it would in ours."""
    broken = copy.deepcopy(WORKLOADS["learner"])
    probe = broken["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    probe["periodSecond"] = probe.pop("periodSeconds")
    with pytest.raises(kubernetes_validate.ValidationError, match="periodSecond"):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


def test_every_file_is_taken_up():
    """Whatever lies in the folder is named by the kustomization, and the other way round."""
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    named = {*KUSTOMIZATION["resources"], *generated["files"], "kustomization.yaml"}
    assert named == {path.name for path in FOLDER.iterdir()}
    assert set(WORKLOADS) == set(COMMANDS)


def test_what_is_named_is_there():
    """Claims, settings, Services; Secrets are those that the document says how to make."""
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    made = re.findall(r"create secret generic (\S+)", (ROOT / "docs/kubernetes.md").read_text())
    secrets = set()
    for name in WORKLOADS:
        spec, container = pod(name)
        volumes = {each["name"]: each for each in spec["volumes"]}
        assert {each["name"] for each in container["volumeMounts"]} == set(volumes)
        for volume in volumes.values():
            if "configMap" in volume:
                assert volume["configMap"]["name"] == generated["name"]
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert claim in of_kind("PersistentVolumeClaim")
            if "secret" in volume:
                secrets.add(volume["secret"]["secretName"])
    assert secrets == set(made)
    assert WORKLOADS["learner"]["spec"]["serviceName"] in of_kind("Service")
    assert KUSTOMIZATION["namespace"] in of_kind("Namespace")


def test_selectors_select_their_own_pods_and_no_others():
    """Those of workloads, Services and disruption budgets alike."""
    labels = {
        name: each["spec"]["template"]["metadata"]["labels"] for name, each in WORKLOADS.items()
    }
    for each in DOCUMENTS:
        selector = each.get("spec", {}).get("selector")
        if selector is None:
            continue
        wanted = selector.get("matchLabels", selector).items()
        found = [name for name, has in labels.items() if wanted <= has.items()]
        assert found == [each["metadata"]["name"].removeprefix("driftline-")]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_takes_the_arguments(name, tmp_path, monkeypatch):
    """Each flag exists and takes its value, with the settings file beside it."""
    _, container = pod(name)
    settings = FOLDER / "driftline.toml"
    (tmp_path / "driftline.toml").write_bytes(settings.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert container["workingDir"] == "/etc/driftline"
    command, *args = [arg.replace("$(POD_NAME)", f"{name}-0") for arg in container["args"]]
    assert command == COMMANDS[name]
    function, bound, _ = app.parse_args(
        [command, *args], exit_on_error=False, print_error=False
    )
    assert function.__name__ == command
    given = bound.arguments["common"]
    assert given.stream == tomllib.loads(settings.read_text())["common"]["stream"]


@pytest.mark.parametrize("name", COMMANDS)
def test_probes_ask_where_the_service_answers(name):
    """At the port of the command line, beyond loopback: the kubelet is another host."""
    _, container = pod(name)
    (port,) = container["ports"]
    given = flags(container["args"][1:])
    assert given["host"] == "0.0.0.0"
    assert given["port"] == str(port["containerPort"])
    for probe, path in (("startup", "livez"), ("liveness", "livez"), ("readiness", "readyz")):
        asked = container[f"{probe}Probe"]["httpGet"]
        assert asked == {"path": f"/{path}", "port": port["name"]}
    noted = WORKLOADS[name]["spec"]["template"]["metadata"]["annotations"]
    assert noted["prometheus.io/port"] == given["port"]
    (served,) = of_kind("Service")[f"driftline-{name}"]["spec"]["ports"]
    assert (served["port"], served["targetPort"]) == (port["containerPort"], port["name"])


def test_learners_are_members_by_their_pods_names():
    """Static membership: the name is the pod's, and the checkpoints are everybody's."""
    spec, container = pod("learner")
    assert WORKLOADS["learner"]["kind"] == "StatefulSet"
    given = flags(container["args"][1:])
    assert given["member"] == "$(POD_NAME)"
    (named,) = [each for each in container["env"] if each["name"] == "POD_NAME"]
    assert named["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    assert any(given["state"].startswith(f"{path}/") for path in mounts)
    assert mounts[str(Path(given["key-file"]).parent)] == "key"
    (claim,) = of_kind("PersistentVolumeClaim").values()
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert spec["terminationGracePeriodSeconds"] >= 60


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pod_has_no_right_that_it_has_no_use_for(name):
    """What the profile 'restricted' of Kubernetes asks for, and a file system to read only."""
    spec, container = pod(name)
    user, locked = spec["securityContext"], container["securityContext"]
    assert user["runAsNonRoot"] is True
    assert user["runAsUser"] == user["runAsGroup"] == user["fsGroup"] == 10001
    assert user["seccompProfile"] == {"type": "RuntimeDefault"}
    assert locked["allowPrivilegeEscalation"] is False
    assert locked["readOnlyRootFilesystem"] is True
    assert locked["capabilities"] == {"drop": ["ALL"]}
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "secret", "persistentVolumeClaim", "emptyDir"}
    assert container["resources"]["limits"].keys() >= {"memory", "ephemeral-storage"}
    assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
    (namespace,) = of_kind("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("name", COMMANDS)
def test_no_service_of_the_namespace_becomes_a_setting(name):
    """A Service driftline-monitor would set DRIFTLINE_MONITOR_PORT to an address."""
    spec, _ = pod(name)
    assert spec["enableServiceLinks"] is False


def test_no_secret_is_written_down():
    """They come from Secrets as files that others may not read; no manifest holds one."""
    assert not of_kind("Secret")
    secret = re.compile(r"password|secret|token|key", re.IGNORECASE)
    for name in WORKLOADS:
        spec, container = pod(name)
        for each in container["env"]:
            if secret.search(each["name"]):
                assert each["name"].endswith("_FILE")
                assert each["value"].startswith("/run/secrets/")
        for volume in spec["volumes"]:
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o440
    written = tomllib.loads((FOLDER / "driftline.toml").read_text())
    assert not [key for key in written["kafka"] if secret.search(key)]


def test_images_are_pinned_to_the_version_of_this_checkout():
    """In the manifests, and where the kustomization puts a registry before the name."""
    (image,) = KUSTOMIZATION["images"]
    assert image["newTag"] == VERSION
    for name in WORKLOADS:
        assert pod(name)[1]["image"] == f"{image['name']}:{VERSION}"


def test_services_are_called_as_the_jobs_that_the_rules_know():
    """A ServiceMonitor names a job after its Service; rules and dashboards go by the job."""
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert set(of_kind("Service")) == {
        each["job_name"] for each in prometheus["scrape_configs"]
    }
    for service in of_kind("Service").values():
        assert service["metadata"]["labels"]["app.kubernetes.io/name"] == "driftline"
