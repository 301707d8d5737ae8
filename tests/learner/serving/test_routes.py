import contextlib
import json
import socket
import threading
import time

import pytest

from learner.config import Config
from learner.learner import Learner
from learner.loop import learn
from learner.run import Run
from learner.serving import clerk, desk
from learner.serving.questions import MAX_BODY, MOST, Served
from learner.serving.routes import routes
from stream.errors import SettingError
from stream.mapping import FieldMap
from stream.memory import MemoryLog
from stream.records import Prediction, Record, decode_outcomes, encode
from stream.topic import Batch, partition_of
from stream.web import Server
from tests.learner.serving.asking import Client, asked, read_all, ready, tell

BAYES = Config(model="naive-bayes", policy="none")
SAMPLES = [{"id": n, "x": {"a": float(n % 7), "b": n % 3}, "y": n % 2} for n in range(200)]
GOOD = {"x": {"a": 1.0, "b": 1}}


def filled(samples=SAMPLES, partitions=1):
    """Return a log with samples in its first partition."""
    log = MemoryLog()
    log.create("memory.samples", partitions=partitions)
    tell(log, *samples)
    return log


def until(learned, client):
    """Wait until a learner stands behind so many records."""
    ready(client)
    deadline = time.monotonic() + 20
    while f"@{learned}" not in client.predict(GOOD)[1]["at"]:
        assert time.monotonic() < deadline


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Give a learner that has learned 200 samples, and waits."""
    with asked(filled(), BAYES, tmp_path_factory.mktemp("state")) as client:
        until(200, client)
        yield client


def oracle(x, config=BAYES, samples=SAMPLES):
    """Return the wire form of the prediction that a question at the end would get."""
    learner = Learner(config, 0, 0)
    values = [json.dumps(each).encode() for each in [*samples, {"id": "q", "x": x}]]
    turn = learner.learn(Batch(0, [*enumerate(values)], len(values)))
    (prediction,) = turn.predictions
    assert isinstance(prediction, Prediction)
    found = json.loads(encode(prediction))
    del found["id"]
    return found


@pytest.mark.parametrize("x", [{"a": 1.0, "b": 1}, {"a": None, "b": 2}, {}, {"new": 1.5}])
def test_an_answer_is_the_prediction_that_a_question_would_get(client, x):
    """In the very same form, for what is missing and what is new as well."""
    status, found = client.predict({"x": x})

    assert (status, found.pop("partition")) == (200, 0)
    assert found.pop("unknown", []) == [name for name in x if name == "new"]
    assert found == oracle(x)


def test_features_that_the_stream_has_not_are_told(client):
    """A slip in a name gives the same guess as before, and is named; ten are enough."""
    xs = [{"aeg": 31}, {"a": 1.0}, {"b": 1, "A": 2.0}, {f"n{n}": 1.0 for n in range(50)}]
    found = client.predict({"x": xs})[1]["predictions"]

    names = [["aeg"], [], ["A"], [f"n{n}" for n in range(10)]]
    assert [each.pop("unknown", []) for each in found] == names
    for each, x in zip(found, xs, strict=True):
        assert each.pop("partition") == 0
        assert each == oracle(x)


def test_on_a_mapped_topic_features_are_known_as_the_mapping_names_them(tmp_path):
    """From what the learner hears of a record, not from what stands in it."""
    log = MemoryLog()
    log.create("theirs", partitions=1)
    writer = log.writer("source")
    for n in range(50):
        row = {"no": n, "what": {"age": n % 7, "job": "ab"[n % 2]}, "paid": n % 2}
        writer.append("theirs", json.dumps(row).encode(), partition=0)
    writer.append("theirs", b'{"no": "nothing of use"}', partition=0)
    writer.commit()
    mapping = FieldMap(id="no", y="paid", x=["what"], rename={"what.job": "work"})
    config = Config(model="hoeffding-tree", policy="none", topic="theirs", mapping=mapping)
    with asked(log, config, tmp_path) as client:
        ready(client)
        deadline = time.monotonic() + 20
        while not (inputs := client.get("/v2/models/main")[1]["inputs"]):
            assert time.monotonic() < deadline
        assert {each["name"] for each in inputs} == {"what.age", "work"}
        question = {"x": {"what.age": 3, "work": "a", "what.job": "a"}}
        assert client.predict(question)[1]["unknown"] == ["what.job"]
        assert "unknown" not in client.predict({"x": {"what.age": 3, "work": "a"}})[1]


def test_many_are_answered_at_once_and_in_order(client):
    """Each as if it had been asked alone."""
    xs = [{"a": float(n), "b": 1} for n in range(MOST)]

    status, found = client.predict({"x": xs, "id": "mine"})

    assert status == 200
    assert len(found["predictions"]) == MOST
    for n in (0, 100, 255):
        one = found["predictions"][n]
        assert (one.pop("id"), one.pop("partition")) == ("mine", 0)
        assert one == oracle(xs[n])


BAD = [
    (b"", 400, "empty"),
    (b"{", 400, "truncated"),
    (b'{"x": {"a": NaN}}', 400, "not_finite"),
    (b'{"x": {"a": 1}} trailing', 400, "trailing_data"),
    (b"\xff\xfe", 400, "not_utf8"),
    (b'{"x": {"a": "\xff"}}', 400, "not_utf8"),
    (b'{"x": {"a": ' + b"[" * 1000 + b"]" * 1000 + b"}}", 400, "too_deep"),
    (b'{"x": ' + b"[" * 100_000, 400, "too_deep"),
    (b"[" * 100_000, 422, "not_object"),
    (b"[1]", 422, "not_object"),
    (b'{"y": 1}', 422, "wrong_type"),
    (b'{"x": null}', 422, "wrong_type"),
    (b'{"x": {"a": {"b": 1}}}', 422, "nested"),
    (b'{"x": {"a": 1' + b"0" * 30 + b"}}", 422, "number_range"),
    (b'{"x": []}', 422, "no_content"),
    (b'{"x": [' + b"{}," * MOST + b"{}]}", 422, "too_many_samples"),
    (b'{"x": [{}, {"a": []}]}', 422, "nested"),
    (b'{"x": {"a": 1}, "partition": 3}', 422, "unknown_partition"),
    (b'{"x": {"a": 1}, "partition": "0"}', 422, "wrong_type"),
    (b'{"x": {"a": "text"}}', 422, "text_feature"),
    (encode({"x": {str(n): n for n in range(1025)}}), 422, "too_many_fields"),
    (encode({"x": {"a": "t" * 65537}}), 422, "string_too_long"),
    (encode({"x": {str(n): "t" * 60000 for n in range(5)}}), 413, "too_large"),
]


@pytest.mark.parametrize(("body", "status", "reason"), BAD, ids=range(len(BAD)))
def test_a_body_that_is_no_question_is_refused_by_the_code_of_a_record(
    client, body, status, reason
):
    """With one sentence, and never a traceback; the learner goes on."""
    found = client.post("/predict", body)

    assert found[0] == status, found
    assert found[1]["error"] == reason
    assert set(found[1]) == {"error", "message"}
    assert client.predict(GOOD)[0] == 200


@pytest.mark.parametrize(
    "value", [b'{"x": {"a": [1]}}', b'{"x": {"a": 1e999}}', b'{"x": {"a":', b'{"x": 5}']
)
def test_the_code_and_the_sentence_are_those_of_the_dead_letter(client, value):
    """What is refused as a record is refused as a question in the same words."""
    turn = Learner(BAYES, 0, 0).learn(Batch(0, [(0, value)], 1))
    ((_, _, refusal),) = turn.dead

    found = client.post("/predict", value)[1]

    assert found["error"] == refusal.reason
    if refusal.reason != "malformed_json":  # its place is counted in another text
        assert found["message"] == str(refusal)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("PUT", "/predict", 405),
        ("POST", "/readyz", 405),
        ("POST", "/predictions/7", 405),
        ("POST", "/v2", 405),
        ("GET", "/v2/models/main/infer", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/", 404),
        ("POST", "/v2/models/main/explain", 404),
    ],
)
def test_another_method_or_path_is_no_way_in(client, method, path, status):
    """A wrong method is 405, an unknown path 404."""
    assert client.ask(method, path)[0] == status


def test_only_json_is_taken(client):
    """So no page of the web can ask by a form."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        status, found = client.post("/predict", GOOD, **{"Content-Type": kind})
        assert (status, found["error"]) == (415, "content_type")
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        assert client.post("/predict", GOOD, **{"Content-Type": kind})[0] == 200


def test_a_page_that_rebinds_its_name_is_refused(client):
    """A request that came by a name of the outside is no request of this machine's user."""
    assert client.post("/predict", GOOD, Host="evil.example")[0] == 400


def test_a_huge_body_is_refused_before_it_is_read(client):
    """By its length where that is told, else once it is too long."""
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    told = client.raw(head + b"Content-Length: 99999999999\r\n\r\n{")
    assert told.startswith(b"HTTP/1.1 413 ")
    assert b'"error":"too_large"' in told

    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as plug:
        plug.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(MAX_BODY // 0x10000 + 1):
            plug.sendall(chunk)
        assert read_all(plug).startswith(b"HTTP/1.1 413 ")
    assert client.predict(GOOD)[0] == 200


def test_a_body_that_does_not_come_is_waited_for_in_vain(client, monkeypatch):
    """After a while the connection is closed; others are answered meanwhile."""
    monkeypatch.setattr("learner.serving.http._PATIENCE", 0.3)
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as plug:
        plug.sendall(head)
        assert client.predict(GOOD)[0] == 200
        assert read_all(plug).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "text",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000,
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"\x00garbage\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_with_400_and_closed(client, text):
    """Also where it follows a request that was fine."""
    found = client.raw(text)

    assert b" 400 " in found[found.rfind(b"HTTP/1.1 ") :]
    assert b"Traceback" not in found
    assert client.predict(GOOD)[0] == 200


def test_requests_in_one_go_are_answered_in_order(client):
    """Pipelined, as HTTP allows."""
    bodies = [json.dumps({"x": {"a": 1.0}, "id": n}).encode() for n in range(20)]
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n%s"
    last = b"Connection: close\r\n"
    text = b"".join(
        head % (len(body), last if n == 19 else b"", body) for n, body in enumerate(bodies)
    )

    found = client.raw(text)

    assert found.count(b"HTTP/1.1 200 OK") == 20
    order = [found.index(b'"id":%d,' % n) for n in range(20)]
    assert order == sorted(order)


def test_one_who_leaves_harms_nobody(client):
    """Whether in the middle of a body or before the answer."""
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n"
    for body in (b"", b'{"x"', b'{"x": {"a": 1}}'):
        with socket.create_connection(("127.0.0.1", client.port), timeout=20) as plug:
            plug.sendall(head + body)

    assert client.predict(GOOD)[0] == 200


@contextlib.contextmanager
def drowsy(monkeypatch):
    """Let learners that wait look round once a minute, unless they are woken."""
    wait, dozing = desk.Desk.wait, set()
    with monkeypatch.context() as patch:
        patch.setattr(desk.Desk, "wait", lambda it, _: dozing.add(it) or wait(it, 60))
        yield
    for each in dozing:
        each.wake()


def test_one_who_waits_is_answered_at_once(client, monkeypatch):
    """A learner that waits for records is woken by a question."""
    with drowsy(monkeypatch):
        for _ in range(30):
            assert client.predict(GOOD)[0] == 200  # where it slept on, it would be 503


def test_a_learner_that_is_busy_turns_away(client, monkeypatch):
    """A question that nobody comes to is given up after a while; the next one is answered."""
    monkeypatch.setattr(desk, "PATIENCE", 0.2)
    free = threading.Event()
    real = clerk.consult
    monkeypatch.setattr(clerk, "consult", lambda *it: free.wait(10) and real(*it))

    status, headers, found = client.ask("POST", "/predict", GOOD)
    assert (status, headers["retry-after"], found["error"]) == (503, "1", "busy")

    free.set()
    assert client.predict(GOOD)[0] == 200


def test_no_more_are_under_way_than_there_is_room_for(client, monkeypatch):
    """One too many is turned away at once, and may come again."""
    monkeypatch.setattr("learner.serving.http.ROOM", 3)
    free, found = threading.Event(), []
    real = clerk.consult
    monkeypatch.setattr(clerk, "consult", lambda *it: free.wait(10) and real(*it))
    threads = [
        threading.Thread(target=lambda: found.append(client.predict(GOOD)[0])) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while (said := client.predict({"x": 5}))[0] != 503:
        assert time.monotonic() < deadline

    assert said[1]["error"] == "busy"
    free.set()
    for thread in threads:
        thread.join(20)
    assert found == [200] * 3


def test_no_more_wait_for_what_became_of_an_id_than_can_be_looked_up(client, monkeypatch):
    """One too many is turned away at once; those who wait get their answers."""
    monkeypatch.setattr(desk, "LOOKUPS", 2)
    monkeypatch.setattr(desk, "PATIENCE", 20)
    free, busy, desks, found = threading.Event(), threading.Event(), [], []
    real, ask = clerk.consult, desk.Desk.ask

    def consult(*it):
        busy.set()
        assert free.wait(20)
        return real(*it)

    monkeypatch.setattr(clerk, "consult", consult)
    monkeypatch.setattr(desk.Desk, "ask", lambda it, *more: desks.append(it) or ask(it, *more))
    asks = [lambda: client.predict(GOOD), *[lambda: client.get("/predictions/none")] * 2]
    threads = [threading.Thread(target=lambda a=a: found.append(a()[0])) for a in asks]
    threads[0].start()
    assert busy.wait(20)
    for thread in threads[1:]:
        thread.start()
    deadline = time.monotonic() + 20
    while len(desks[0].lookups) < 2:
        assert time.monotonic() < deadline

    status, headers, said = client.ask("GET", "/predictions/none")
    assert (status, headers["retry-after"], said["error"]) == (503, "1", "busy")
    assert "wait already" in said["message"]
    free.set()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == [200, 404, 404]


def test_partitions_are_asked_by_number_key_or_id(tmp_path):
    """Each has a model of its own, and where it is not clear which is meant, it is said."""
    log = filled(partitions=4)
    with asked(log, BAYES, tmp_path) as client:
        ready(client)
        assert client.predict(GOOD)[0] == 400
        assert client.predict(GOOD)[1]["error"] == "no_partition"
        for how in ({"partition": 2}, {"key": "k"}, {"id": 17}, {"key": "k", "id": 17}):
            key = how.get("key", how.get("id"))
            p = how.get("partition", partition_of(str(key).encode(), 4))
            status, found = client.predict({**GOOD, **how})
            assert (status, found["partition"]) == (200, p)
            assert found["at"].startswith(f"samples[{p}]@")


def test_what_became_of_a_question_is_told(tmp_path):
    """From what waits, and once it has its label from the topic of predictions."""
    questions = [{"id": n, "x": {"a": 1.0, "b": 1}} for n in range(1000, 1020)]
    log = filled([*SAMPLES, *questions, {"id": "a/b c", "x": {"a": 2.0}}])
    with asked(log, BAYES, tmp_path) as client:
        until(221, client)
        topic = [e.value for e in log.topic("memory.main.predictions").scan(0, 0, 99)]
        status, found = client.get("/predictions/1007")
        assert (status, found) == (200, json.loads(topic[7]))
        assert client.get("/predictions/a%2Fb%20c") == (200, json.loads(topic[20]))

        tell(log, {"id": "1007", "y": 1})
        until(222, client)
        assert client.get("/predictions/1007") == (200, json.loads(topic[7]))

        for path in ("1", "7?partition=0"):
            status, found = client.get(f"/predictions/{path}")
            assert (status, found["error"]) == (404, "unknown_id")
        for path in ("1?partition=x", "1?partition=-1", "1?partition=" + "9" * 5000):
            assert client.get(f"/predictions/{path}")[0] == 400
        assert client.get("/predictions/1?partition=1")[0] == 422


def test_the_newest_of_two_predictions_is_told(tmp_path):
    """An id that was asked about again has its last answer, however many came since."""
    again = [{"id": "q", "x": {"a": 1.0}}, {"id": "q", "y": 1}, {"id": "q", "x": {"a": 6.0}}]
    others = [{"id": f"o{n}", "x": {"a": 2.0}} for n in range(600)]
    log = filled([*SAMPLES, *again, {"id": "q", "y": 1}, *others])
    with asked(log, BAYES, tmp_path) as client:
        until(804, client)
        status, found = client.get("/predictions/q")
        assert (status, found["at"]) == (200, "samples[0]@202")


def test_without_a_stream_it_lives_and_is_not_ready(tmp_path):
    """It waits for its topic, and whoever asks is told to come again."""
    with asked(MemoryLog(), BAYES, tmp_path) as client:
        assert client.get("/livez") == (200, "ok\n")
        assert client.get("/readyz?verbose") == (503, "[-] started\nnot ready\n")
        status, headers, found = client.ask("POST", "/predict", GOOD)
        assert (status, headers["retry-after"], found["error"]) == (503, "1", "starting")
        assert client.get("/predictions/1")[0] == 503


def test_while_it_learns_again_in_silence_nobody_is_answered(tmp_path, monkeypatch):
    """What it would say then, it would have said in the past."""
    log = filled()
    with asked(log, BAYES, tmp_path, turn=10) as client:
        until(200, client)
    go = threading.Semaphore(0)
    real = Learner.learn
    monkeypatch.setattr(
        Learner, "learn", lambda *a, **k: go.acquire(timeout=10) and real(*a, **k)
    )
    with asked(log, BAYES, tmp_path, turn=10, rebuild=True) as client:
        for _ in range(19):
            go.release()
            status, found = client.predict(GOOD)
            assert (status, found["error"]) in ((503, "replaying"), (503, "starting"))
            assert client.get("/readyz")[0] == 503
        go.release(100)
        until(200, client)
        assert client.get("/readyz") == (200, "ready\n")


def test_the_summary_says_where_it_was_asked_and_how_often(tmp_path):
    """The port, what got an answer and what did not."""
    with asked(filled(), BAYES, tmp_path) as client:
        until(200, client)
        before = client.predict(GOOD)
        client.predict({"x": 5})
        client.get("/predictions/nobody")
    assert before[0] == 200
    summary = client.summary.as_dict()
    assert summary["port"] == client.port
    assert summary["refused"] >= 2
    assert summary["asked"] >= 1


ASKED = [{"a": 1.0, "b": 1}, {"a": 4.0, "new": 2.0}]


def replayed(samples, config, said):
    """Return what a learner says to `ASKED` at the places at which something was said."""
    learner, found = Learner(config, 0, 0), {}

    def between(reached):
        """Answer as a learner would that is asked nowhere else."""
        if (at := f"samples[0]@{reached}") in said:
            guesses = clerk.consult(learner, ASKED)
            served = [Served(y, at, 0, p=p) for y, p in map(learner.named, guesses)]
            found[at] = json.loads(encode({"predictions": served}))

    entries = [*enumerate(encode(Record(**each)) for each in samples)]
    for start in range(0, len(entries), 500):
        part = entries[start : start + 500]
        learner.learn(Batch(0, part, start + len(part)), between=between)
    between(len(entries))
    return found


def test_the_outcomes_are_the_same_asked_or_not(tmp_path):
    """Byte for byte, on the topics, while it is asked all the time.

    And every answer is that of a learner at its place that was asked nothing else.
    """
    samples = [{**each, "id": 200 * k + each["id"]} for k in range(20) for each in SAMPLES]
    samples = [each | {"y": None} if each["id"] % 9 == 0 else each for each in samples]
    config = Config(model="knn", seed=3)
    logs = [filled(samples), filled(samples)]
    answers = []
    with asked(logs[0], config, tmp_path / "asked", turn=500) as client:
        ready(client)
        done = threading.Event()

        def pester():
            """Ask without a pause, sense and nonsense."""
            while not done.is_set():
                answers.append(client.predict({"x": ASKED}))
                client.predict({"x": {"a": "text"}})

        thread = threading.Thread(target=pester)
        thread.start()
        deadline = time.monotonic() + 60
        while logs[0].committed("driftline.memory.main").get(0) != len(samples):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        done.set()
        thread.join(20)
    with asked(logs[1], config, tmp_path / "left", turn=500):
        while logs[1].committed("driftline.memory.main").get(0) != len(samples):
            time.sleep(0.01)

    values = [
        [
            [entry.value for entry in log.topic(f"memory.main.{kind}").scan(0, 0, 10**6)]
            for kind in ("outcomes", "predictions", "dead")
        ]
        for log in logs
    ]
    assert values[0] == values[1]
    said = {
        x["at"]: found
        for status, found in answers
        if status == 200
        for x in found["predictions"]
    }
    assert len(said) > 5
    for found in said.values():
        for each in found["predictions"]:
            each.pop("unknown", None)  # of the newest turn, not of the place
    assert replayed(samples, config, said) == said
    assert decode_outcomes(values[0][0][-1]).last == len(samples) - 1


def test_a_port_that_is_taken_is_said_before_anything_is_opened(tmp_path):
    """As any wrong setting is, with what to do."""
    log = filled()
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(SettingError, match="--port"),
    ):
        learn(log, BAYES, Run(state=tmp_path / "state", port=taken.getsockname()[1]))
    assert not (tmp_path / "state").exists()


def test_on_every_log_one_who_waits_is_answered_and_goes_on(log, tmp_path, monkeypatch):
    """It answers at once while it waits for records, and learns those that come."""
    name = f"{log.stream}.samples"
    log.create(name, partitions=1)
    tell(log, *SAMPLES[:50], {"id": "q", "x": {"a": 1.0, "b": 1}}, topic=name)
    with asked(log, BAYES, tmp_path) as client:
        learned(client, 50)
        with drowsy(monkeypatch):
            for _ in range(20):
                assert client.predict(GOOD)[0] == 200
        tell(log, *SAMPLES[50:80], topic=name)
        learned(client, 80)
        status, found = client.get("/predictions/q")
        assert (status, found["id"], found["at"]) == (200, "q", "samples[0]@50")

    assert client.summary.samples == 81


def learned(client, samples):
    """Wait until a learner stands behind at least so many records."""
    ready(client)
    deadline = time.monotonic() + 30
    while int(client.predict(GOOD)[1]["at"].partition("@")[2]) < samples:
        assert time.monotonic() < deadline


def test_a_question_for_another_learners_partition_is_sent_on():
    """Its place is found among all partitions there are, and not among the learner's own."""
    table = desk.Desk("main")
    table.about = desk.About("classification", "hash", {2: False}, 3)
    theirs = [n for n in range(50) if partition_of(b"%d" % n, 3) != 2]
    with Server(routes(table), host="127.0.0.1", port=0) as server:
        client = Client(server.port, None)
        for n in theirs[:5]:
            status, found = client.predict({**GOOD, "id": n})
            assert (status, found["error"]) == (503, "moved"), found
            assert client.get(f"/predictions/{n}")[0] == 503
        assert client.predict({**GOOD, "partition": 2})[1]["error"] == "replaying"
        assert "partition must be 0 to 2" in str(client.predict({**GOOD, "partition": 3}))
        assert "there are 3 partitions" in str(client.predict(GOOD))
