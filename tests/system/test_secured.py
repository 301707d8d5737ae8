"""A whole pipeline on a Kafka that asks for TLS and a password, of which nobody hears."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
MODULES = "org.apache.kafka.common.security"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PATIENCE = 60
READS = (
    ("outcomes",),
    ("predictions",),
    ("dead",),
    ("doctor", "--verbose"),
    ("checkpoints", "list", "--verbose"),
    ("config", "show"),
    ("config", "show", "kafka", "--json"),
    ("config", "show", "--resolved"),
    ("monitor", "--verbose", "--until-end", "--json"),
)


class Guarded(NamedTuple):
    """A broker that lets in who has the password, and what a client needs for it."""

    address: str
    certificate: str
    of_another: str
    password: str


def keytool(store, *words):
    """Run the JDK's tool for keys on a store of our own."""
    program = shutil.which("keytool")
    if program is None:
        assert "CI" not in os.environ, "keytool is missing; it comes with Java"
        pytest.skip("no keytool on the path")
    access = ("-keystore", store, "-storepass", "not-a-secret", "-alias", "broker")
    subprocess.run([program, *words, *access], check=True, capture_output=True)


def certificate(store):
    """Make a key for 127.0.0.1, and return the file of its certificate."""
    pair = ("-genkeypair", "-keyalg", "EC", "-dname", "CN=broker", "-ext", "SAN=ip:127.0.0.1")
    keytool(store, *pair)
    file = store.with_suffix(".pem")
    keytool(store, "-exportcert", "-rfc", "-file", file)
    return str(file)


@pytest.fixture(scope="module")
def guarded(start_broker, tmp_path_factory):
    """Start a broker with TLS, and one user whom all three mechanisms know."""
    folder, password = tmp_path_factory.mktemp("tls"), secrets.token_hex(16)
    ours = certificate(folder / "ours")
    plain = f'{MODULES}.plain.PlainLoginModule required user_ann="{password}";'
    scram = f"{MODULES}.scram.ScramLoginModule required;"
    client = {
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "plain.sasl.jaas.config": plain,
        "scram-sha-256.sasl.jaas.config": scram,
        "scram-sha-512.sasl.jaas.config": scram,
        "ssl.keystore.location": str(folder / "ours"),
        "ssl.keystore.password": "not-a-secret",
    }
    protocols = "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
    broker = start_broker(
        users={"ann": password},
        **{f"listener.name.client.{name}": value for name, value in client.items()},
        **{"listener.security.protocol.map": protocols},
    )
    return Guarded(broker.address, ours, certificate(folder / "another"), password)


def environment(guarded, folder, **changed):
    """Return the variables of a client; the password is in a file, and only there."""
    file = folder / "password"
    file.write_text(changed.pop("password", guarded.password) + "\n")
    kafka = {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "ann",
        "sasl_plain_password_file": file,
        "ssl_cafile": guarded.certificate,
        **changed,
    }
    found = {f"DRIFTLINE_KAFKA_{name.upper()}": str(value) for name, value in kafka.items()}
    return {**os.environ, "PYTHONPATH": str(ROOT), **found}


def start(words, url, folder, variables):
    """Start a command; `config` has no stream."""
    stream = () if words[0] == "config" else ("--stream", url)
    return subprocess.Popen(
        [sys.executable, "-m", "driftline", *words, *stream],
        cwd=folder,
        env=variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_pipeline_runs_and_tells_nobody_the_password(guarded, tmp_path):
    """Each service by another mechanism; no output nor file of any command has the secret."""
    url, said = f"kafka://{guarded.address}/secured", []

    def run(mechanism, *words):
        variables = environment(guarded, tmp_path, sasl_mechanism=mechanism)
        out, err = (started := start(words, url, tmp_path, variables)).communicate(
            timeout=PATIENCE
        )
        said.append(out + err)
        assert started.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    source = ("produce", "--source", "river:Phishing", "--limit", "300", "--json", "--verbose")
    assert run("PLAIN", *source)["samples"] == 300
    learn = ("learn", "--until-end", "--json", "--verbose", "--name", "main")
    learned = run("SCRAM-SHA-256", *learn)
    monitored = run("SCRAM-SHA-512", "monitor", "--until-end", "--json", "--verbose")
    assert learned["scored"] == 300
    assert monitored["learners"]["main"]["scored"] == 300

    variables = environment(guarded, tmp_path)
    begun = [start(words, url, tmp_path, variables) for words in READS]
    for words, each in zip(READS, begun, strict=True):
        out, err = each.communicate(timeout=PATIENCE)
        assert each.returncode == 0, (words, err)
        said.append(out + err)
    assert all("Traceback" not in text for text in said)
    assert any("***" in text for text in said)
    assert guarded.password not in "".join(said)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "password"]
    assert any("secured" in str(path) for path in files), "no checkpoint was written"
    assert not [path for path in files if guarded.password.encode() in path.read_bytes()]


WRONG = {
    "password": ({"password": "guessed"}, "SaslAuthenticationFailed"),
    "password by SCRAM": (
        {"password": "guessed", "sasl_mechanism": "SCRAM-SHA-512"},
        "SaslAuthenticationFailed",
    ),
    "user": ({"sasl_plain_username": "bob"}, "SaslAuthenticationFailed"),
    "mechanism": ({"sasl_mechanism": "GSSAPI"}, "UnsupportedSaslMechanism"),
    "certificate": ({"ssl_cafile": "another"}, "CERTIFICATE_VERIFY_FAILED"),
    "no certificate": ({"ssl_cafile": None}, "CERTIFICATE_VERIFY_FAILED"),
    "host name": ({}, "is not valid for 'localhost'"),
}


def test_what_is_wrong_with_a_way_in_is_one_sentence(guarded, tmp_path):
    """Soon, on one line, with exit code 2, and without the password that was given."""
    begun = {}
    for name, (changed, _) in WRONG.items():
        folder = tmp_path / name
        folder.mkdir()
        changed = dict(changed)
        if "ssl_cafile" in changed:
            changed["ssl_cafile"] = guarded.of_another if changed["ssl_cafile"] else ""
        variables = environment(guarded, folder, **changed)
        if changed.get("ssl_cafile") == "":
            del variables["DRIFTLINE_KAFKA_SSL_CAFILE"]
        address = guarded.address.replace(
            "127.0.0.1", "localhost" if name == "host name" else "127.0.0.1"
        )
        begun[name] = start(("learn", "--verbose"), f"kafka://{address}/s", folder, variables)
    for name, (_, says) in WRONG.items():
        out, err = begun[name].communicate(timeout=PATIENCE)
        assert (begun[name].returncode, out) == (2, ""), (name, err)
        (line,) = [line for line in err.splitlines() if line.startswith("driftline: ")]
        assert says in line, name
        assert "correct the kafka settings" in line
        assert not {"guessed", guarded.password} & {*err.replace("'", " ").split()}
        assert "Traceback" not in err
        assert len(err.splitlines()) <= 3, err
