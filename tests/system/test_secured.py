"""A whole pipeline on a Kafka that asks for TLS and a password, of which nobody hears."""

import json
from typing import NamedTuple

import pytest

from tests.secured import secured_or_skip
from tools.kafka_secured import MECHANISMS

pytestmark = pytest.mark.kafka

PATIENCE = 60
SERVICES = (
    ("produce", "--source", "river:Phishing", "--limit", "300"),
    ("learn", "--until-end"),
    ("monitor", "--until-end"),
)
READS = (
    ("outcomes", "--verbose"),
    ("predictions", "--verbose"),
    ("dead", "--verbose"),
    ("doctor",),
    ("checkpoints", "list", "--verbose"),
    ("config", "show"),
    ("config", "show", "kafka", "--json"),
)


class Guarded(NamedTuple):
    """A broker that lets in who has the password, and what a client needs for it."""

    address: str
    certificate: str
    of_another: str
    password: str


@pytest.fixture(scope="module")
def guarded(start_broker, tmp_path_factory):
    """Start a broker with TLS, and one user whom all three mechanisms know."""
    secured = secured_or_skip(tmp_path_factory.mktemp("tls"))
    broker = start_broker(users=secured.scram, **secured.properties)
    files = str(secured.certificate), str(secured.ended)
    return Guarded(broker.address, *files, secured.password)


def variables(guarded, folder, **changed):
    """Return the variables of a client; the password is in a file, and only there."""
    file = folder / "password"
    text = changed.pop("password", guarded.password) + "\n"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)  # only then: another process may be reading it just now
    kafka = {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "ann",
        "sasl_plain_password_file": file,
        "ssl_cafile": guarded.certificate,
        **changed,
    }
    return {
        f"DRIFTLINE_KAFKA_{name.upper()}": str(value)
        for name, value in kafka.items()
        if value is not None
    }


def test_a_pipeline_runs_and_tells_nobody_the_password(guarded, nursery, tmp_path):
    """Each service by another mechanism; no output nor file of any command has the secret."""
    stream, said = ("--stream", f"kafka://{guarded.address}/secured"), []

    def start(mechanism, *words):
        own = () if words[0] == "config" else stream
        found = variables(guarded, tmp_path, sasl_mechanism=mechanism)
        return nursery.start(*words, *own, cwd=tmp_path, variables=found)

    def end(life):
        assert life.wait(PATIENCE) == 0, life.err
        said.append(life.out + life.err)
        return life.out

    last = {}
    for mechanism, words in zip(MECHANISMS, SERVICES, strict=True):
        out = end(start(mechanism, *words, "--json", "--verbose"))
        last[words[0]] = json.loads(out.splitlines()[-1])
    assert last["produce"]["samples"] == last["learn"]["scored"] == 300
    assert last["monitor"]["learners"]["main"]["scored"] == 300
    for life in [start("PLAIN", *words) for words in READS]:
        end(life)

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


def test_what_is_wrong_with_a_way_in_is_one_sentence(guarded, nursery, tmp_path):
    """Soon, on one line, with exit code 2, and without the password that was given."""
    begun = {}
    for name, (changed, _) in WRONG.items():
        folder = tmp_path / name
        folder.mkdir()
        if changed.get("ssl_cafile"):
            changed = {"ssl_cafile": guarded.of_another}
        host = "localhost" if name == "host name" else "127.0.0.1"
        url = f"kafka://{guarded.address.replace('127.0.0.1', host)}/s"
        words, found = ("learn", "--stream", url), variables(guarded, folder, **changed)
        begun[name] = nursery.start(*words, "--verbose", cwd=folder, variables=found)
    for name, (_, says) in WRONG.items():
        life = begun[name]
        assert (life.wait(PATIENCE), life.out) == (2, ""), (name, life.err)
        (line,) = [line for line in life.err.splitlines() if line.startswith("driftline: ")]
        assert says in line, name
        assert "correct the kafka settings" in line
        assert "guessed" not in life.err
        assert guarded.password not in life.err
        assert "Traceback" not in life.err
        assert len(life.err.splitlines()) <= 3, life.err
