"""A real learner that is asked over HTTP by other processes while it learns."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from tests.system.lives import eventually, process

ASKER = """
import http.client, json, sys
connection, at = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20), set()
body = json.dumps({"x": {"0": 0.3, "1": 0.6}})
while len(at) < 5:
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    found = json.loads(response.read())
    assert response.status in (200, 503), found
    if response.status == 200:
        assert found["partition"] == 0 and found["y_pred"] in (0, 1, None), found
        at.add(found["at"])
print(json.dumps(sorted(at)))
"""


@pytest.fixture
def learner(tmp_path):
    """Give a learner at work that can be asked, its port, and ask it until it is ready."""
    url = f"sqlite:{tmp_path / 's.db'}"
    sine = ("--source", "synth:Sine(seed=7)", "--rate", 800)
    with (
        process("learn", "--stream", url, "--port", 0, "--json", cwd=tmp_path) as learner,
        process("produce", *sine, "--stream", url, cwd=tmp_path) as producer,
    ):
        said = learner.said("predict=http://")
        learner.port = int(re.search(r"predict=http://127\.0\.0\.1:(\d+)/predict", said)[1])
        eventually(lambda: " 200 " in raw(learner, b"GET /readyz HTTP/1.1"))
        yield learner
        producer.end(signal.SIGTERM)


def raw(learner, line, body=b""):
    """Send a request of its own connection and return the text of all that comes."""
    head = b"\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", learner.port), timeout=30) as plug:
        plug.sendall(line + head + length + body)
        found = b""
        while piece := plug.recv(65536):
            found += piece
    return found.decode()


def test_another_process_asks_while_it_learns(learner):
    """It is answered from ever newer states, and the learner ends with 0 when told to."""
    asker = subprocess.run(
        [sys.executable, "-c", ASKER, str(learner.port)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert asker.returncode == 0, asker.stderr

    places = json.loads(asker.stdout)
    assert all(place.startswith("samples[0]@") for place in places)
    assert learner.end(signal.SIGTERM) == 0
    assert learner.summary["port"] == learner.port
    assert learner.summary["asked"] >= len(places)
    assert "Traceback" not in learner.err


def test_told_to_end_it_answers_who_waits_or_closes(learner):
    """Between SIGTERM and the end nobody hangs, and nobody hears half an answer."""
    found, over = [], threading.Event()

    def ask():
        """Ask until nobody listens any more."""
        body = json.dumps({"x": [{"0": 0.3, "1": 0.6}] * 200}).encode()
        while not over.is_set():
            try:
                found.append(raw(learner, b"POST /predict HTTP/1.1", body))
            except ConnectionError:
                return

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(found) > 50)
    code = learner.end(signal.SIGTERM)
    for thread in threads:
        thread.join(30)
    over.set()

    assert code == 0, learner.err
    assert not any(thread.is_alive() for thread in threads)
    for text in filter(None, found):
        head, _, body = text.partition("\r\n\r\n")
        status = int(head.split()[1])
        content = json.loads(body)
        if status == 200:
            assert len(content["predictions"]) == 200
        else:
            assert (status, content["error"]) in ((503, "ending"), (503, "busy"))
    assert "Traceback" not in learner.err
