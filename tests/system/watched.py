"""Three streams at work with all their services, in threads, each service with its own page.

Several classes with probabilities and a challenger; numbers; and Kafka with two learners that
share its partitions, beside one that looks for anomalies.
"""

import contextlib
import threading
import time
import urllib.request

from driftline.settings import open_stream
from learner.config import Config
from learner.keys import make_key
from learner.loop import learn
from learner.run import Run
from monitor.run import monitor
from producer.counts import Counts
from producer.replay import Replay, produce
from producer.shown import shown
from stream.records import Record, encode
from stream.topic import samples_of
from tools.kafka import free_port

WINDOW = 200
"""Rows of the rolling figures."""
RATE = 300
"""Samples a second, of each stream."""
DRIFT = 1800
"""The sample at which the world changes."""
TREE = Config(
    model="hoeffding-tree",
    policy="reset",
    challengers=({"name": "bayes", "model": "naive-bayes"},),
)
LOGISTIC = Config(model="logistic", policy="reset", watch_inputs=3)
LINEAR = Config(
    model="linear",
    policy="none",
    challengers=({"name": "tree", "model": "tree-regressor"},),
)
ODD = Config(model="half-space-trees", policy="none")
CLASSES = "synth:RandomRBF(n_classes=4, n_features=5)"
NUMBERS = "synth:Friedman"
TWO = "synth:Sine"


class Watched:
    """The services, and the addresses of their pages by job."""

    def __init__(self, folder, kafka):
        self.pages = {f"driftline-{name}": [] for name in ("monitor", "learner", "producer")}
        self._folder, self._kafka = folder, kafka
        self._stop, self._threads, self._failed = threading.Event(), [], []

    def __enter__(self):
        drift = (f"abrupt@{DRIFT}",)
        for name, source, drifts, learners in (
            ("classes", CLASSES, drift, [("classes", TREE)]),
            ("numbers", NUMBERS, (), [("numbers", LINEAR)]),
            (self._kafka, TWO, drift, [("main", LOGISTIC), ("main", LOGISTIC), ("odd", ODD)]),
        ):
            url = name if "://" in name else f"sqlite:{self._folder / name}.db"
            state = self._folder / f"{len(self._threads)}.state"
            state.mkdir()
            make_key(state / "key")
            replay = Replay(
                source=source, drifts=drifts, rate=RATE, partitions=2 if "://" in name else 1
            )
            self._run("producer", self._produce, url, replay)
            for learner, config in learners:
                self._run("learner", self._learn, url, learner, config, state)
            self._run("monitor", self._monitor, url, [*dict.fromkeys(n for n, _ in learners)])
            self._run(None, self._disturb, url)
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not [it for it in self._threads if it.is_alive()]
        if self._failed:
            raise self._failed[0]

    def page(self, job):
        """Return the page of metrics of the first service of a job."""
        address = self.pages[job][0]
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
            return answer.read().decode()

    def _run(self, job, work, *how):
        port = free_port()
        if job is not None:
            self.pages[f"driftline-{job}"].append(f"127.0.0.1:{port}")

        def guarded():
            try:
                with contextlib.closing(open_stream(how[0])) as log:
                    work(log, port, *how[1:])
            except BaseException as error:  # noqa: BLE001 - raised again where it is seen
                self._failed.append(error)

        self._threads.append(threading.Thread(target=guarded))
        self._threads[-1].start()

    def _produce(self, log, port, replay):
        counts, stopping = Counts(log.stream), self._stop.is_set
        with shown(counts, "127.0.0.1", port, stopping):
            produce(log, replay, stopping=stopping, counts=counts)

    def _learn(self, log, port, name, config, state):
        run = Run(name=name, state=state, key_file=state / "key", port=port)
        learn(log, config, run, stopping=self._stop.is_set)

    def _monitor(self, log, port, names):
        stopping = self._stop.is_set
        monitor(log, names=names, windows=(WINDOW,), port=port, stopping=stopping)

    def _disturb(self, log, _):
        """Ask a question that nobody answers, and say what is no record."""
        writer = None
        while not self._stop.wait(1.0):
            name = samples_of(log.stream)
            writer = writer or log.writer(f"{log.stream}.noise")
            with contextlib.suppress(Exception):
                log.topic(name)
                question = Record(id=f"q{time.time()}", x={"0": 1.0, "1": 1.0, "2": 1.0})
                writer.append(name, encode(question), partition=0)
                writer.append(name, b"{", partition=0)
                writer.commit()
