"""The pods of deploy/kubernetes, run as processes of this machine."""

import http.client
import re
from pathlib import Path

import yaml

PODS = Path(__file__).parent.parent.parent / "deploy" / "kubernetes"


def answers(port, path):
    """Return the status that a kubelet gets, which calls a pod by an address of its own."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asked.request("GET", path, headers={"Host": f"10.1.2.3:{port}"})
        return asked.getresponse().status
    except OSError:
        return None
    finally:
        asked.close()


def pods_of(guarded, nursery, tmp_path):
    """Return a function that runs what a pod runs, against a broker that asks for a user."""
    folder = tmp_path / "etc"
    folder.mkdir()
    settings = (PODS / "driftline.toml").read_text()
    settings = settings.replace("kafka-bootstrap.kafka.svc:9093", guarded.address)
    settings = settings.replace("/shop", "/pods")  # the other tests have that one
    (folder / "driftline.toml").write_text(settings)
    (tmp_path / "password").write_text(guarded.secured.password)
    (tmp_path / "key").write_text("k" * 40)
    (tmp_path / "key").chmod(0o600)
    places = {
        "/run/secrets/kafka/password": tmp_path / "password",
        "/run/secrets/key/key": tmp_path / "key",
        "/var/lib/driftline": tmp_path / "state",
        "$(POD_NAME)": "driftline-learner-0",
    }

    def here(text):
        for there, path in places.items():
            text = text.replace(there, str(path))
        return text

    def start(name, port):
        workload = next(yaml.safe_load_all((PODS / f"{name}.yaml").read_text()))
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        variables = {
            each["name"]: here(each["value"]) for each in container["env"] if "value" in each
        }
        variables["DRIFTLINE_KAFKA_SSL_CAFILE"] = str(guarded.secured.certificate)
        variables["DRIFTLINE_KAFKA_SASL_PLAIN_USERNAME"] = "ann"
        args = [re.sub(r"--port=\d+", f"--port={port}", here(arg)) for arg in container["args"]]
        return nursery.start(*args, cwd=folder, variables=variables)

    return start
