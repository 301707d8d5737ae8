import json
import shutil
import socket
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from driftline.doctor import way
from driftline.doctor.finding import FAILED, OK, SKIPPED, WARN, Case, Skipped
from driftline.doctor.steps import STEPS
from learner.config import Config
from stream.connect import connect
from stream.records import Record, encode
from stream.topic import group_of, samples_of

TITLES = [step.title for step in STEPS if not step.of_kafka]


def files_of(folder):
    """Return every file below a folder with its bytes."""
    return {p: p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


def learn(run, url, *words):
    """Produce a data set to a stream and learn it."""
    assert run("produce", "--stream", url, "--source", "river:Phishing")[0] == 0
    assert run("learn", "--stream", url, "--until-end", *words)[0] == 0


def test_a_stream_that_is_well_is_found_well(run, examined, tmp_path):
    """Every step has looked, none has failed, and nothing is changed by it."""
    learn(run, "sqlite:s.db")
    before = files_of(tmp_path)
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 0
    assert {f["status"] for f in found} == {OK}
    assert list(dict.fromkeys(f["step"] for f in found)) == TITLES
    assert "local.samples: 1 partition, offsets 0–1251, kept for ever" in found.of("topics")
    assert "local.main.outcomes" in found.of("topics")
    assert "is a labelled sample" in found.of("records")
    assert "main (driftline.local.main) stands at 0: 1251 of 1251" in found.of("learners")
    assert "1 checkpoint, the newest at 1251" in found.of("checkpoints")
    assert "signature fine" in found.of("checkpoints")
    assert "made with the present settings" in found.of("checkpoints")
    assert "the file is sound" in found.of("stream")
    assert files_of(tmp_path) == before


def test_it_is_said_to_a_person_too(run):
    """One finding a line below its step, the counts last, exit code 1 after a failure."""
    code, out, _ = run("doctor", "--stream", "sqlite:none.db", "--port", "0")
    lines = out.splitlines()
    assert code == 1
    assert [line for line in lines if not line.startswith(" ")][:-1] == TITLES
    assert "  failed   there is no file 'none.db'; name the one that" in out
    assert lines[-1].endswith("1 failed, 6 skipped")
    assert not Path("none.db").exists()


def test_what_hangs_on_a_failure_is_skipped(examined):
    """Without a stream there are no topics, records, learners and checkpoints to look at."""
    _, found = examined("--stream", "sqlite:none.db")
    for step in ("topics", "records", "learners", "checkpoints"):
        assert found.statuses(step) == [SKIPPED]
    assert found.statuses("clock") == [OK]


def test_a_damaged_file_is_found(run, examined, tmp_path):
    """By SQLite's own check, in a page that is used."""
    learn(run, "sqlite:s.db")
    text = bytearray(Path("s.db").read_bytes())
    text[16_384:65_536] = b"\x55" * (65_536 - 16_384)
    Path("s.db").write_bytes(text)
    before = files_of(tmp_path)
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 1
    assert "the file is damaged" in found.of("stream", FAILED)
    assert files_of(tmp_path) == before


def test_a_file_of_something_else_is_found(examined):
    """A text, and a file nobody has written to."""
    for text, words in ((b"hello" * 1000, "is not a database"), (b"", "of another program")):
        Path("s.db").write_bytes(text)
        code, found = examined("--stream", "sqlite:s.db")
        assert code == 1
        assert words in found.of("stream", FAILED)
        assert Path("s.db").read_bytes() == text


def test_a_learner_that_lags_is_warned_of(run, examined):
    """By how many records, and by name; of two, only the one asked for."""
    assert run("produce", "--stream", "sqlite:s.db", "--source", "river:Phishing",
               "--limit", "300")[0] == 0  # fmt: skip
    assert run("learn", "--stream", "sqlite:s.db", "--until-end", "--name", "slow")[0] == 0
    learn(run, "sqlite:s.db")
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 0
    assert "slow (driftline.local.slow) stands at 0: 301 of 1251, 950 behind" in found.of(
        "learners", WARN
    )
    assert "main" in found.of("learners", OK)
    _, found = examined("--stream", "sqlite:s.db", "--name", "main")
    assert "slow" not in json.dumps(found)


def test_a_wrong_key_and_a_forged_checkpoint_are_found(run, examined, tmp_path):
    """Nothing is loaded; without a key nothing is checked, and none is made."""
    learn(run, "sqlite:s.db")
    (tmp_path / "k").write_text("0" * 64)
    _, found = examined("--stream", "sqlite:s.db", "--key-file", "k")
    assert "was signed with key" in found.of("checkpoints", WARN)
    (path,) = Path("s.db.state/local/main/p0").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    _, found = examined("--stream", "sqlite:s.db")
    assert "damaged or forged" in found.of("checkpoints", WARN)
    Path("s.db.state/key").unlink()
    _, found = examined("--stream", "sqlite:s.db")
    assert "there is no key" in found.of("checkpoints")
    assert not Path("s.db.state/key").exists()


def test_other_settings_than_those_of_the_checkpoint_are_named(run, examined):
    """As the settings file has them now."""
    learn(run, "sqlite:s.db")
    Path("driftline.toml").write_text("[learn]\nseed = 3\n")
    _, found = examined("--stream", "sqlite:s.db")
    assert "seed 1 (now 3)" in found.of("checkpoints", WARN)
    assert "driftline.toml' is read" in found.of("settings")


def test_a_state_that_is_gone_or_of_another_topic_is_found(run, examined):
    """And what the next start would do about it."""
    learn(run, "sqlite:s.db")
    learn(run, "sqlite:t.db")
    _, found = examined("--stream", "sqlite:s.db", "--state", "elsewhere")
    assert "no checkpoint in 'elsewhere/local/main/p0'" in found.of("checkpoints", WARN)
    assert not Path("elsewhere").exists()
    shutil.rmtree("s.db.state")
    shutil.move("t.db.state", "s.db.state")
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 1
    assert "of another topic of the same name" in found.of("checkpoints", FAILED)


def test_records_that_retention_has_taken_are_found(run, examined):
    """A learner whose next record is gone cannot go on."""
    learn(run, "sqlite:s.db")
    with closing(connect("sqlite:s.db")) as log:
        number = log.topic("local.samples").number
        log.connection().execute(
            "UPDATE ends SET first = 1251, next = 1300 WHERE topic = ?", (number,)
        )
        log.connection().execute(f"DELETE FROM log_{number}_0")
        log.connection().execute("UPDATE cursors SET cursor = 1000")
        path = Path("s.db.state/local/main/p0")
        (old,) = path.iterdir()
        old.rename(old.with_name(f"{1251:020d}"))
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 1
    assert "before the oldest record kept" in found.of("learners", FAILED)


def test_outcomes_that_are_gone_are_found(run, examined):
    """A damaged file is told of: what it says it keeps is not looked for for ever."""
    learn(run, "sqlite:s.db")
    with closing(connect("sqlite:s.db")) as log:
        log.connection().execute(f"DELETE FROM log_{log.topic('local.main.outcomes').number}_0")
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 1
    assert "has lost local.main.outcomes[0]@0" in found.of("outcomes", FAILED)


def test_an_empty_stream_is_no_failure(examined):
    """There is a topic, and nothing in it yet."""
    with closing(connect("sqlite:s.db")) as log:
        log.create("local.samples", partitions=2)
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 0
    assert "2 partitions, offsets 0–0, 0–0" in found.of("topics")
    assert "the topic of samples is empty" in found.of("records", WARN)
    assert found.statuses("learners") == found.statuses("checkpoints") == [SKIPPED]


def write(url, *values, timestamp=None):
    """Write records to a stream, whatever they hold."""
    with closing(connect(url)) as log:
        topic = log.create(samples_of(log.stream), partitions=1)
        writer = log.writer("test")
        for value in values:
            writer.append(topic.name, value, partition=0, timestamp=timestamp)
        writer.commit()
        writer.close()


def test_bad_records_are_counted_and_one_is_shown(examined):
    """A few are a warning, with the reason; nothing but bad ones is a failure."""
    good = encode(Record(id=1, ts=time.time(), x={"a": 1.0}, y=True))
    write("sqlite:s.db", b"{", good, b'{"x": {"a": []}}')
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 0
    assert "2 of the last 3 records are refused, @2 as nested" in found.of("records", WARN)
    assert '@1 is a labelled sample: {"id":1' in found.of("records", OK)
    write("sqlite:t.db", b"{")
    code, found = examined("--stream", "sqlite:t.db")
    assert code == 1
    assert "1 of the last 1 records are refused" in found.of("records", FAILED)


def test_clocks_that_disagree_are_found(examined):
    """A record stored in our future; an event long ago, or long to come."""
    now = time.time()
    for name, ts, stored, words in (
        ("a", now, now + 3600, "in the future"),
        ("b", now - 10 * 86_400, now, "10.0 days before now"),
        ("c", now + 10 * 86_400, now, "10.0 days after now"),
    ):
        record = encode(Record(id=1, ts=ts, x={"a": 1.0}, y=True))
        write(f"sqlite:{name}.db", record, timestamp=stored)
        _, found = examined("--stream", f"sqlite:{name}.db")
        assert words in found.of("clock", WARN)


def test_ports_that_are_taken_are_told_from_our_own(run):
    """What answers like a monitor is one; what does not is warned of."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, out, _ = run("doctor", "--port", port, "--prometheus-port", 0, "--json")
    rows = [f for f in json.loads(out)["findings"] if f["step"] == "ports"]
    assert [row["status"] for row in rows] == [WARN, OK]
    assert f"port {port} on 127.0.0.1 is in use, and no monitor answers" in rows[0]["found"]
    _, out, _ = run("doctor", "--port", 70_000, "--json")
    assert "--port 70000 is no port" in out


def test_a_name_that_leads_nowhere_and_a_port_that_is_shut_are_told_apart(examined):
    """The one is DNS, the other the broker; neither is waited for."""
    began = time.monotonic()
    code, found = examined("--stream", "kafka://nowhere.invalid:9092/s")
    assert code == 1
    assert "the name 'nowhere.invalid' leads to no address" in found.of("dns", FAILED)
    assert "not looked at, as dns failed" in found.of("tcp", SKIPPED)
    with socket.create_server(("127.0.0.1", 0)) as shut:
        port = shut.getsockname()[1]
    code, found = examined("--stream", f"kafka://127.0.0.1:{port}/s")
    assert code == 1
    assert f"takes no connection on port {port}" in found.of("tcp", FAILED)
    assert time.monotonic() - began < 30
    assert found.statuses("topics") == [SKIPPED]


def test_behind_a_proxy_the_way_is_not_gone(monkeypatch):
    """Names and ports are the proxy's to reach, so a failure from here would mean nothing."""
    monkeypatch.setenv("DRIFTLINE_KAFKA_PROXY_URL", "socks5://127.0.0.1:1")
    monkeypatch.setenv("DRIFTLINE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    case = Case("kafka://nowhere.invalid:1/s", (), "st", None, "", 0, 0, Config)
    for look in (way.dns, way.tcp, way.tls, way.host_name, way.mechanism, way.user):
        with pytest.raises(Skipped, match="a proxy stands between"):
            list(look(case))
    with pytest.raises(Skipped, match="a proxy stands between"):
        list(way.brokers(case))


@pytest.mark.kafka
def test_of_several_brokers_one_is_enough(examined, kafka):
    """Those that are away are warned of, and the way goes on with the one that answers."""
    _, found = examined("--stream", f"kafka://nowhere.invalid:1,127.0.0.1:9,{kafka}/d")
    assert sorted(found.statuses("dns")) == [OK, OK, WARN]
    assert sorted(found.statuses("tcp")) == [OK, WARN]
    assert found.statuses("tls") == found.statuses("brokers") == [OK]


@pytest.mark.kafka
def test_a_stream_on_kafka_is_found_well(run, examined, kafka):
    """With the broker's version, the protocol, retention and the learner's group."""
    name = f"d-{uuid.uuid4().hex[:8]}"
    url = f"kafka://{kafka}/{name}"
    learn(run, url, "--state", "st")
    code, found = examined("--stream", url, "--state", "st")
    assert code == 0
    assert {f["status"] for f in found if f["step"] != "clock"} == {OK}
    assert f"{kafka} takes connections" in found.of("tcp")
    assert "without TLS, by security_protocol PLAINTEXT" in found.of("tls")
    assert "answers without a user" in found.of("mechanism")
    assert f"broker 1 is reached at {kafka}" in found.of("brokers")
    for role in ("produce", "learn", "monitor"):
        assert f"'driftline {role}' may do all that it needs" in found.of("rights")
    assert "it is spoken to in PLAINTEXT" in found.of("stream")
    assert "1 broker" in found.of("stream")
    assert f"{name}.samples: 1 partition, offsets 0–" in found.of("topics")
    assert f"{name}.main.outcomes" in found.of("topics")
    assert "kept for 90 days" in found.of("topics")
    assert "is a labelled sample" in found.of("records")
    assert f"main ({group_of(name, 'main')}) stands at 0: " in found.of("learners")
    assert "signature fine" in found.of("checkpoints")


@pytest.mark.kafka
def test_a_stream_that_is_not_on_kafka_is_not_made(examined, kafka):
    """The topic is missed, and no topic, group or transactional id comes of looking."""
    name = f"d-{uuid.uuid4().hex[:8]}"
    for _ in range(2):
        code, found = examined("--stream", f"kafka://{kafka}/{name}")
        assert code == 1
        assert f"topic {name}.samples is not there" in found.of("topics", FAILED)
        assert found.statuses("records") == found.statuses("learners") == [SKIPPED]
    with closing(connect(f"kafka://{kafka}/{name}")) as log:
        assert not [group for group in log.groups() if name in group]
        assert not [t for t in log.cluster.admin.list_topics() if name in str(t)]
        assert name not in str(log.cluster.admin.list_transactions())


@pytest.mark.kafka
def test_records_that_kafka_has_deleted_are_found(run, examined, kafka):
    """A learner that stands before the oldest record, and a checkpoint that needs such."""
    url = f"kafka://{kafka}/d-{uuid.uuid4().hex[:8]}"
    first = ("produce", "--stream", url, "--source", "river:Phishing", "--limit", "300")
    assert run(*first)[0] == 0
    assert run("learn", "--stream", url, "--until-end", "--state", "st")[0] == 0
    learned = examined("--stream", url, "--state", "st")[1]
    assert "all that a restart needs is kept" in learned.of("checkpoints", OK)
    assert run(*first[:-1], "900")[0] == 0
    with closing(connect(url)) as log:
        (place,) = log.topic(samples_of(log.stream)).places.values()
        log.cluster.admin.delete_records({place: 700})
    code, found = examined("--stream", url, "--state", "st")
    assert code == 1
    assert "before the oldest record kept" in found.of("learners", FAILED)
    assert "a restart needs 3" in found.of("checkpoints", FAILED)
    assert "and the samples begin at 700" in found.of("checkpoints", FAILED)


@pytest.mark.kafka
def test_members_of_a_group_are_named(examined, kafka):
    """By their names, with the partitions they have; one without any is too many."""
    name = f"d-{uuid.uuid4().hex[:8]}"
    url = f"kafka://{kafka}/{name}"
    with closing(connect(url)) as log:
        topic = log.create(samples_of(name), partitions=1)
        seats = [log.join(group_of(name, "main"), topic, member=m) for m in ("a", "b")]
        said = ""
        while "has no partition" not in said:
            for seat in seats:
                seat.share(wait=0.2)
            said = examined("--stream", url)[1].of("groups", WARN)
        for seat in seats:
            seat.close()
    assert "a on 127.0.0.1 has 0" in said or "b on 127.0.0.1 has 0" in said
    assert "1 have nothing to do: the samples have 1 partitions" in said


@pytest.mark.kafka
def test_a_broker_whose_clock_is_behind_is_found(examined, kafka):
    """By the time that it gives a commit, which cannot be before its records were written."""
    for late, words in ((0, "nothing later than this one"), (30, "behind the writer's")):
        url = f"kafka://{kafka}/d-{uuid.uuid4().hex[:8]}"
        good = encode(Record(id=1, ts=time.time(), x={"a": 1.0}, y=True))
        write(url, good, good, timestamp=time.time() + late)
        assert words in examined("--stream", url)[1].of("clock")


@pytest.mark.kafka
def test_a_broker_that_names_itself_where_nobody_reaches_it_is_told_apart(examined, broker):
    """What the address leads to works, and where the cluster sends its clients does not."""
    url = f"kafka://127.0.0.1:{broker.behind}/d"
    code, found = examined("--stream", url)
    assert code == 1
    for step in ("dns", "tcp", "tls", "mechanism"):
        assert found.statuses(step) == [OK]
    said = found.of("brokers", FAILED)
    assert (
        f"names broker 1 as 127.0.0.1:{broker.front}, and from here 127.0.0.1 takes no" in said
    )
    assert "advertised.listeners" in said
    assert found.statuses("stream") == found.statuses("rights") == [SKIPPED]


@pytest.mark.kafka
def test_tls_with_a_broker_that_has_none_is_found(examined, kafka, monkeypatch):
    """And what to set instead is said; nobody waits for it."""
    monkeypatch.setenv("DRIFTLINE_KAFKA_SECURITY_PROTOCOL", "SSL")
    code, found = examined("--stream", f"kafka://{kafka}/d")
    assert code == 1
    said = found.of("tls", FAILED)
    assert f"{kafka} speaks Kafka, but no TLS; set security_protocol to PLAINTEXT" in said
    monkeypatch.setenv("DRIFTLINE_KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    monkeypatch.setenv("DRIFTLINE_KAFKA_SASL_MECHANISM", "PLAIN")
    code, found = examined("--stream", f"kafka://{kafka}/d")
    assert "has no users; set security_protocol to PLAINTEXT" in found.of("mechanism", FAILED)


@pytest.mark.kafka
def test_a_setting_that_cannot_be_is_found_before_anything_is_dialled(examined, monkeypatch):
    """It has a step of its own, and the way to the stream ends there."""
    monkeypatch.setenv("DRIFTLINE_KAFKA_SSL_CAFILE", "nowhere.pem")
    code, found = examined("--stream", "kafka://127.0.0.1:1/d")
    assert code == 1
    assert "'ssl_cafile' names 'nowhere.pem', where there is no" in found.of("settings", FAILED)
    assert "not looked at, as settings failed" in found.of("dns", SKIPPED)


def test_a_mapping_that_finds_nothing_is_shown_what_there_is(run, examined):
    """A path is corrected by looking at a record, the more so where none can be read."""
    assert run("produce", "--stream", "sqlite:s.db", "--source", "river:Phishing")[0] == 0
    Path("driftline.toml").write_text(
        '[learn]\ntopic = "local.samples"\n[learn.mapping]\nid = "order.ident"\n'
    )
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 1
    assert "mend the mapping, or what writes them" in found.of("records", FAILED)
    assert 'as it stands: {"id":' in found.of("records")


def test_a_path_that_no_record_has_is_warned_of(examined):
    """By its key of the mapping, with what was perhaps meant; what is found is not."""
    orders = [
        {"id": n, "at": n, "buyer": {"age": n}, "out": {"paid": n > 9}} for n in range(20)
    ]
    write("sqlite:s.db", *(json.dumps(order).encode() for order in orders), b"{")
    settings = Path("driftline.toml")
    settings.write_text(
        '[learn]\ntopic = "local.samples"\n[learn.mapping]\nid = "id"\nts = "att"\n'
        'y = "out.payed"\nx = ["buyer.age", "basket"]\ndrop = ["nothing"]\n'
        'rename = {"buyer.size" = "size"}\n'
    )
    code, found = examined("--stream", "sqlite:s.db")
    assert code == 0
    assert found.of("records", WARN).splitlines()[:-1] == [
        "ts: none of the last 20 records has 'att', so they have no event time; correct the "
        "path, if that is not meant; did you mean 'at'?",
        "y: none of the last 20 records has 'out.payed', so all are questions, unless labels "
        "come later; correct the path, if that is not meant; did you mean 'out.paid'?",
        "x: none of the last 20 records has 'basket', so it brings no feature; correct the "
        "path, if that is not meant; there are 'id', 'at', 'buyer', 'out', 'buyer.age', …",
        "drop: none of the last 20 records has 'nothing', so it leaves nothing out; correct "
        "the path, if that is not meant; there are 'id', 'at', 'buyer', 'out', 'buyer.age', …",
        "rename: none of the last 20 samples has a feature 'buyer.size'; correct its name; the "
        "features of a record are shown above",
    ]
    settings.write_text('[learn]\ntopic = "local.samples"\n[learn.mapping]\nx = ["bayer"]\n')
    _, found = examined("--stream", "sqlite:s.db")
    assert "did you mean 'buyer'?" in found.of("records", WARN)
    assert "none of the last 20 samples has a feature;" in found.of("records", WARN)
    settings.write_text(
        '[learn]\ntopic = "local.samples"\n[learn.mapping]\nid = "id"\ny = "out.paid"\n'
    )
    _, found = examined("--stream", "sqlite:s.db")
    assert found.of("records", WARN).startswith("1 of the last 21 records are refused")


def test_a_topic_of_others_that_is_not_there_wants_another_name(run, examined):
    """Nothing of ours would make it."""
    assert run("produce", "--stream", "sqlite:s.db", "--source", "river:Phishing")[0] == 0
    Path("driftline.toml").write_text('[learn]\ntopic = "order"\n')
    _, found = examined("--stream", "sqlite:s.db")
    assert "topic order is not there; correct its name (--topic)" in found.of("topics", FAILED)
