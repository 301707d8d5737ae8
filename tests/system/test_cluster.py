"""A Kafka that asks for TLS, a user and rights: what is wrong is named, what is right runs."""

import json
import re
import signal
import socket
from contextlib import closing
from typing import NamedTuple

import pytest

from driftline.doctor.finding import FAILED, OK, SKIPPED
from stream.connect import connect
from stream.topic import topic_of
from tests.driftline.findings import Findings
from tests.secured import acl, secured_or_skip
from tests.system.grants import ROLES, ROWS, WITHOUT, command, lives, place
from tests.system.lives import eventually
from tests.system.pods import answers, pods_of
from tools.kafka import free_port
from tools.kafka_secured import Secured

pytestmark = pytest.mark.kafka

WAY = ["settings", "dns", "tcp", "tls", "host name", "mechanism", "user", "brokers", "stream"]
AFTER = ["rights", "topics", "partitions", "records", "groups", "learners", "checkpoints"]


class Guarded(NamedTuple):
    """A broker where each role has a user, and so has each role without one of its rights.

    `inside` is the address at which it asks nobody for anything.
    """

    address: str
    behind: str
    inside: str
    secured: Secured


@pytest.fixture(scope="module")
def guarded(start_broker, tmp_path_factory):
    """Start the broker, and grant each user what it may have."""
    folder = tmp_path_factory.mktemp("tls")
    secured = secured_or_skip(folder, *ROLES, *WITHOUT, authorized=True)
    broker = start_broker(users=secured.scram, front=free_port(), **secured.properties)
    settings = (broker.dir / "server.properties").read_text()
    inside = re.search(r"INTERNAL://([\d.:]+)", settings)[1]
    granted = [acl(row.role, *row[1:]) for row in ROWS]
    for user, taken in zip(WITHOUT, ROWS, strict=True):
        where = place(taken)
        rest = [row for row in ROWS if row.role == taken.role and row != taken]
        granted += [acl(user, *row.of(*where)[1:]) for row in rest]
    with closing(connect(f"kafka://{inside}/x")) as log:
        made = log.cluster.admin.create_acls(granted)
        assert not made["failed"]
    return Guarded(broker.address, f"127.0.0.1:{broker.behind}", inside, secured)


@pytest.fixture
def run(guarded, nursery, tmp_path):
    """Give a function that runs a command as a user: its exit code, stdout and stderr."""

    def command(user, *words, **changed):
        settings = {**guarded.secured.client(user), **changed}
        variables = {
            f"DRIFTLINE_KAFKA_{name.upper()}": str(value)
            for name, value in settings.items()
            if value is not None
        }
        life = nursery.start(*words, cwd=tmp_path, variables=variables)
        life.wait()
        assert "Traceback" not in life.err, life.err
        return life.code, life.out, life.err

    return command


@pytest.fixture
def examined(run):
    """Give a function that runs the doctor as a user: its exit code, and what it found."""

    def doctor(user, url, *words, **changed):
        common = ("--stream", url, "--port", 0, "--prometheus-port", 0, "--json")
        code, out, _ = run(user, "doctor", *common, *words, **changed)
        return code, Findings(json.loads(out)["findings"])

    return doctor


@pytest.fixture(scope="module")
def shop(guarded):
    """Give the address of the stream of all."""
    return f"kafka://{guarded.address}/shop"


@pytest.fixture(scope="module")
def learned(guarded, shop, nursery, tmp_path_factory):
    """Give what each command says last that runs with its rows of the table and no more."""
    last, folder = {}, tmp_path_factory.mktemp("learned")
    for role in ROLES:
        client = guarded.secured.client(role).items()
        variables = {f"DRIFTLINE_KAFKA_{name.upper()}": value for name, value in client}
        life = nursery.start(*command(role, shop), cwd=folder, variables=variables)
        assert life.wait() == 0, life.err
        last[role] = json.loads(life.out.splitlines()[-1])
    return last


def test_the_rights_of_the_document_are_enough(learned, shop, examined):
    """Each command by a user of its own who has its rows of the table and nothing else."""
    assert learned["produce"]["samples"] == learned["learn"]["scored"] == 300
    assert learned["monitor"]["learners"]["main"]["scored"] == 300
    for role in ROLES:
        _, found = examined(role, shop, "--role", role, "--name", "main")
        assert found.statuses("rights") == [OK], found.of("rights")
        # For that alone it would take another right, which no command needs.
        assert "retention unknown" in found.of("topics", OK)


def test_a_topic_that_is_copied_must_be_readable(guarded, learned, shop, examined, tmp_path):
    """The doctor takes it from the settings file, where it lies on the same cluster."""
    sources = f'source = "kafka://{guarded.address}/orders"\nlabels = "kafka://other:1/paid"'
    (tmp_path / "driftline.toml").write_text(f"[produce]\n{sources}\n")
    _, found = examined("produce", shop, "--role", "produce")
    assert "'driftline produce' may not Read topic 'orders'" in found.of("rights", FAILED)
    assert len(found.statuses("rights")) == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:4]))
def test_a_right_that_is_missing_is_named_and_was_needed(row, guarded, learned, run, examined):
    """The doctor names it and how to grant it; without it the command ends with an error."""
    stream, learner = place(row)
    url, user = f"kafka://{guarded.address}/{stream}", WITHOUT[ROWS.index(row)]
    code, found = examined(user, url, "--role", row.role, "--name", learner)
    assert code == 1
    said = found.of("rights", FAILED)
    assert said, found
    taken = row.of(stream, learner)
    grant = (
        f"kafka-acls --add --allow-principal User:{user} --operation {taken.operation} "
        f"--{taken.kind} {taken.name} --resource-pattern-type {taken.pattern}"
    )
    for line in said.splitlines():
        assert f"'driftline {row.role}' may not {row.operation} {row.kind}" in line
        assert line.endswith(f"; grant it: {grant}"), line
    for once, words in lives(row.role, url, learner):
        code, out, err = run(once or user, *words)
        if code:
            break
    assert code in (1, 2), f"{row} is not needed: {out}"
    assert "AUTHORIZATION_FAILED" in err or "AuthorizationFailed" in err, err


def shut_port():
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


WRONG = {
    "dns": (lambda g: "nowhere.invalid:9093", {}, "leads to no address", "correct the name"),
    "tcp": (
        lambda g: f"127.0.0.1:{shut_port()}",
        {},
        "takes no connection on port",
        "start the broker",
    ),
    "tls": (
        lambda g: g.address,
        {"ssl_cafile": "another"},
        "is refused: self",
        "name the file of the authority as ssl_cafile",
    ),
    "tls, no authority": (
        lambda g: g.address,
        {"ssl_cafile": None},
        "is refused: self",
        "name the file of the authority as ssl_cafile",
    ),
    "tls, ended": (
        lambda g: g.behind,
        {"ssl_cafile": "another"},
        "is refused: certificate has expired",
        "renew the broker's certificate",
    ),
    "tls, none wanted": (
        lambda g: g.address,
        {"security_protocol": "SASL_PLAINTEXT"},
        "speaks TLS, and security_protocol is SASL_PLAINTEXT",
        "set SASL_SSL",
    ),
    "host name": (
        lambda g: g.address.replace("127.0.0.1", "localhost"),
        {},
        "is not valid for 'localhost'",
        "connect to a name that is in it",
    ),
    "mechanism": (
        lambda g: g.address,
        {"sasl_mechanism": "OAUTHBEARER"},
        "does not offer 'OAUTHBEARER' but PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
        "set sasl_mechanism to one of them",
    ),
    "mechanism, none": (
        lambda g: g.address,
        {"sasl_mechanism": None},
        "no sasl_mechanism is set, and",
        "set one of them",
    ),
    "mechanism, not wanted": (
        lambda g: g.address,
        {"security_protocol": "SSL"},
        "answers nobody without a user, and offers PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
        "set security_protocol to SASL_SSL",
    ),
    "user, password": (
        lambda g: g.address,
        {"sasl_plain_password": "guessed"},
        "does not let user 'ann' in by PLAIN",
        "correct sasl_plain_username and sasl_plain_password",
    ),
    "user, by SCRAM": (
        lambda g: g.address,
        {"sasl_plain_username": "bob", "sasl_mechanism": "SCRAM-SHA-512"},
        "does not let user 'bob' in by SCRAM-SHA-512",
        "make the user for SCRAM-SHA-512 on the cluster",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_on_the_way_is_named_by_its_step(name, guarded, examined):
    """One step fails and says what to do; those behind it were not looked at, and say so."""
    where, changed, says, advises = WRONG[name]
    files = {"another": guarded.secured.ended}
    changed = {key: files.get(value, value) for key, value in changed.items()}
    code, found = examined("ann", f"kafka://{where(guarded)}/shop", **changed)
    step = name.partition(",")[0]
    assert code == 1
    assert says in found.of(step, FAILED), found
    assert advises in found.of(step, FAILED)
    assert "guessed" not in json.dumps(found)
    assert {f["step"] for f in found if f["status"] == FAILED} == {step}
    at = WAY.index(step)
    for before in WAY[:at]:
        assert FAILED not in found.statuses(before)
    for behind in (*WAY[at + 1 :], *AFTER):
        assert found.of(behind) == f"not looked at, as {step} failed; ", behind


def test_a_way_that_is_open_is_told_layer_by_layer(guarded, examined):
    """Whose certificate it is and when it ends, for which host, and who is let in by what."""
    _, found = examined("ann", f"kafka://{guarded.address}/shop")
    assert "its certificate is by 'broker' and ends on 20" in found.of("tls", OK)
    assert f"the certificate of {guarded.address} is for 127.0.0.1" in found.of("host name", OK)
    assert "offers PLAIN" in found.of("mechanism", OK)
    assert "lets user 'ann' in by PLAIN" in found.of("user", OK)
    assert f"broker 1 is reached at {guarded.address}" in found.of("brokers", OK)


def test_topics_that_are_too_narrow_are_found(guarded, examined):
    """The samples have grown, and the learner may not widen what is its own."""
    with closing(connect(f"kafka://{guarded.inside}/wide")) as log:
        log.create("wide.samples", partitions=3)
        log.create("wide.main.outcomes", partitions=1)
    code, found = examined("ann", f"kafka://{guarded.address}/wide", "--name", "main")
    assert code == 1
    said = found.of("partitions", FAILED)
    assert "wide.main.outcomes has 1 of the 3 partitions that the samples have" in said
    assert "alter the topic" in said
    assert "4 partitions have a leader" in found.of("partitions", OK)


def test_a_stream_that_is_not_there_yet_shows_what_would_be_made(guarded, examined):
    """With its partitions and copies, as the cluster would have it; nothing is made."""
    code, found = examined("ann", f"kafka://{guarded.address}/later")
    assert code == 1
    said = found.of("topics", FAILED)
    assert "topic later.samples is not there" in said
    assert "would make it with 1 partition and 1 copy" in said
    with closing(connect(f"kafka://{guarded.inside}/later")) as log:
        assert "later.samples" not in log.cluster.admin.list_topics()
    assert {*found.statuses("rights")} == {OK}
    assert found.statuses("records") == [SKIPPED]


@pytest.fixture
def pods(guarded, nursery, tmp_path):
    """Give a function that runs what a pod runs, with its files and its port here."""
    return pods_of(guarded, nursery, tmp_path)


def test_what_the_pods_of_kubernetes_run_does_run(guarded, pods):
    """Their commands, settings and variables: probes are answered, SIGTERM is a clean end."""
    with closing(connect(f"kafka://{guarded.inside}/pods")) as log:
        log.create("orders", partitions=1)
        writer = log.writer("test")
        for i in range(40):
            order = {
                "order": {"id": i, "placed": 1.8e9 + i},
                "customer": "c",
                "paid": i % 3 == 0,
            }
            record = {**order, "lines": [{"price": i * 1.5}]}
            writer.append("orders", json.dumps(record).encode(), partition=0)
        writer.commit()
        writer.close()
    ports = {name: free_port() for name in ("producer", "learner", "monitor")}
    lives = {name: pods(name, port) for name, port in ports.items()}
    for path in ("/livez", "/readyz", "/metrics"):
        for port in ports.values():
            eventually(lambda port=port, path=path: answers(port, path) == 200)
    with closing(connect(f"kafka://{guarded.inside}/pods")) as log:
        outcomes = topic_of("pods", "main", "outcomes")
        eventually(lambda: max(log.topic(outcomes).end().values()) > 0)
    for name, life in lives.items():
        assert life.end(signal.SIGTERM) == 0, (name, life.err)
        assert "Traceback" not in life.err
