"""A learner in a thread that is asked over HTTP, and short ways to ask it."""

import contextlib
import http.client
import json
import logging
import socket
import threading

from learner.loop import learn
from learner.run import Run
from stream.records import Record, encode


class Client:
    """Asks a learner, and ends it."""

    def __init__(self, port, stop):
        self.port, self.stop = port, stop
        self.summary = None

    def ask(self, method, path, body=None, **headers):
        """Return status, headers and content of one request; JSON comes as what it holds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
            if body is not None:
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
            assert "Traceback" not in text
            is_json = response.headers.get("content-type") == "application/json"
            return response.status, response.headers, json.loads(text) if is_json else text

    def get(self, path):
        """Return status and content of a GET."""
        status, _, found = self.ask("GET", path)
        return status, found

    def post(self, path, body, **headers):
        """Return status and content of a POST."""
        status, _, found = self.ask("POST", path, body, **headers)
        return status, found

    def predict(self, body):
        """Return status and content of a question."""
        return self.post("/predict", body)

    def raw(self, text, patience=20):
        """Send bytes as they are; return all that comes until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as plug:
            plug.sendall(text)
            return read_all(plug)


def read_all(plug):
    """Return what comes until the other side closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := plug.recv(65536):
            found += piece
    return found


class _Url(logging.Handler):
    """Hears at which port a learner answers."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.port, self.heard = None, threading.Event()

    def emit(self, record):
        if record.msg.startswith("predict="):
            self.port = int(record.args[0].rpartition(":")[2])
            self.heard.set()


@contextlib.contextmanager
def asked(log, config, state, **how):
    """Run a learner in a thread and give a client; at the end it has stopped by itself."""
    stop, url, ended = threading.Event(), _Url(), []
    logger = logging.getLogger("driftline.learner")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(url)
    client = Client(None, stop)

    def work():
        try:
            client.summary = learn(
                log, config, Run(state=state, port=0, **how), stopping=stop.is_set
            )
        except BaseException as error:  # noqa: BLE001 - raised again where it is seen
            ended.append(error)
        finally:
            url.heard.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert url.heard.wait(20)
        client.port = url.port
        if url.port is not None:
            yield client
    finally:
        stop.set()
        thread.join(20)
        logger.removeHandler(url)
        logger.setLevel(before)
        assert not thread.is_alive()
    if ended:
        raise ended[0]


def tell(log, *records, partition=0, topic="memory.samples"):
    """Append records to a topic of samples."""
    writer = log.writer("source")
    for record in records:
        writer.append(topic, encode(Record(**record)), partition=partition)
    writer.commit()


def ready(client):
    """Wait until a learner answers questions."""
    pause = threading.Event()
    for _ in range(2000):
        if client.get("/readyz")[0] == 200:
            return
        pause.wait(0.005)
    raise AssertionError(client.get("/readyz?verbose"))
