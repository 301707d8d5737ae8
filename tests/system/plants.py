"""Bugs to plant in a process, so that it shows whether a test would notice them."""

import json
import os
import time

from learner import learner as learners
from learner import places, saves, start
from learner.checkpoint import Checkpoints
from learner.commits import Commits
from learner.grains import Untaught
from learner.making import watch_of
from learner.scores import Scores
from learner.work import Work
from producer import copying, delivery, intake
from producer.answers import Answers
from stream import sqlite_writer
from stream.kafka_writer import KafkaWriter
from stream.sqlite import SqliteLog
from stream.sqlite_writer import SqliteWriter
from tests.system import failpoints

GAP = 0.02
"""Seconds between two deeds that should be one, so that a kill is likely to part them."""


def _saved_with(attribute, wrong):
    """Save a learner with something else in an attribute than is there."""
    save = Checkpoints.save

    def planted(self, learner):
        right = getattr(learner, attribute)
        setattr(learner, attribute, wrong(learner))
        try:
            alike = save(self, learner)
        finally:
            setattr(learner, attribute, right)
        # The process goes on with what was saved; only the file is to be wrong.
        setattr(alike, attribute, right)
        return alike

    Checkpoints.save = planted


def cursor_too_high():
    """A checkpoint's cursor is one beyond its state."""
    _saved_with("cursor", lambda learner: learner.cursor + 1)


def cursor_too_low():
    """A checkpoint's cursor is one before its state."""
    _saved_with("cursor", lambda learner: learner.cursor - 1)


def grain_forgotten():
    """The samples of an unfinished grain are not in the checkpoint."""
    _saved_with("untaught", lambda _: Untaught())


def detector_forgotten():
    """The drift detector is not in the checkpoint."""
    _saved_with("watch", lambda learner: watch_of(learner.config, learner.policy))


def sums_forgotten():
    """The sums are not in the checkpoint."""
    _saved_with("scores", lambda learner: Scores(learner.task))


def questions_forgotten():
    """The samples that wait for their labels are not in the checkpoint."""
    _saved_with("waiting", lambda _: {})


def cursors_first():
    """The cursors are committed before what they follow from."""
    commit = SqliteWriter.commit

    def planted(self, cursors=None, *, within=30.0):
        waiting, self._waiting = self._waiting, {}
        commit(self, cursors, within=within)
        time.sleep(GAP)
        self._waiting = waiting
        commit(self, within=within)

    SqliteWriter.commit = planted


def cursors_last():
    """The cursors are committed after what they follow from."""
    commit = SqliteWriter.commit

    def planted(self, cursors=None, *, within=30.0):
        commit(self, within=within)
        time.sleep(GAP)
        commit(self, cursors, within=within)

    SqliteWriter.commit = planted


def answers_first():
    """Answers are committed before what they belong to, in a transaction of their own."""
    commit = SqliteWriter.commit

    def planted(self, cursors=None, *, within=30.0):
        waiting = self._waiting
        topics = {it._number for name, it in self._topics.items() if "predictions" in name}
        self._waiting = {place: them for place, them in waiting.items() if place[0] in topics}
        rest = {place: them for place, them in waiting.items() if place[0] not in topics}
        commit(self, within=within)
        time.sleep(GAP)
        self._waiting = rest
        commit(self, cursors, within=within)

    SqliteWriter.commit = planted


def kafka_cursors_first():
    """The cursors are committed before what they follow from, in a transaction of their own."""
    _parted(lambda moves, waiting: ((moves, []), (None, waiting)))


def kafka_cursors_last():
    """The cursors are committed after what they follow from, in a transaction of their own."""
    _parted(lambda moves, waiting: ((None, waiting), (moves, [])))


def long_transactions():
    """On Kafka a transaction stays open for a while; no bug, but a kill falls into it."""
    move = KafkaWriter._move

    def planted(self, moves):
        found = move(self, moves)
        time.sleep(5 * GAP)
        return found

    KafkaWriter._move = planted


def deaf_to_outcomes():
    """A start does not hold its cursor against the outcomes; else that would heal or refuse."""
    start._agreed = lambda log, store, committed, origin, *, forced: (committed, origin)


def _parted(parts):
    """Commit on Kafka in two transactions with a gap between."""
    commit = KafkaWriter._commit

    def planted(self, moves, within):
        waiting = self._waiting
        for number, (some, self._waiting) in enumerate(parts(moves, waiting)):
            time.sleep(5 * GAP * number)  # most of a turn, so that a kill falls here
            commit(self, some, within)

    KafkaWriter._commit = planted


def replay_aloud():
    """What was said before is said again while it is learned again."""
    begin = places.begin

    def planted(*args, **kwargs):
        learner, _ = begin(*args, **kwargs)
        return learner, learner.cursor

    places.begin = planted


def unseeded():
    """A model begins otherwise in each process."""
    build = learners.build
    learners.build = lambda *args, **kwargs: build(*args, **kwargs | {"seed": os.getpid()})


def unfenced():
    """A writer does not look whether there is a newer one of its name."""
    commit = SqliteWriter.commit

    def planted(self, cursors=None, *, within=30.0):
        question = "SELECT epoch FROM writers WHERE name = ?"
        ((self._epoch,),) = self._log.ask(question, self._name)
        commit(self, cursors, within=within)

    SqliteWriter.commit = planted


def unsynced():
    """A checkpoint is left to the system to write some time; to be planted last."""
    os.fsync = lambda _: None


def at_least_once():
    """The embedded log promises no more than Kafka need; no bug, but a harder world."""
    SqliteLog.exactly_once = False


def checkpoint_first():
    """The checkpoint is saved before what it follows from is committed."""
    begin = Commits.start

    def planted(self, cursors, reached):
        work = self._done.__self__
        self.settle()
        work._done(reached)
        work._save()
        time.sleep(GAP)
        begin(self, cursors, reached)

    Commits.start = planted


def row_too_high():
    """A producer believes one more row to be there than is."""
    rows = SqliteWriter.rows
    SqliteWriter.rows = lambda *args: {p: row + 1 for p, row in rows(*args).items()}


def row_too_low():
    """A producer believes one row less to be there than is."""
    rows = SqliteWriter.rows
    SqliteWriter.rows = lambda *args: {p: row - 1 for p, row in rows(*args).items()}


def state_forgotten():
    """A copy does not find how far it is."""
    intake.Intake._found = lambda *_: {}


def state_of_before():
    """A copy finds how far it was one commit before."""
    commit = intake.Intake.commit

    def planted(self, state):
        now = json.loads(json.dumps(state()))
        last = getattr(self, "last", now)
        self.last = now
        return commit(self, lambda: last)

    intake.Intake.commit = planted


def held_labels_forgotten():
    """A copy does not know which labels it held back."""
    Answers.held = property(lambda self: [])


def small_commits():
    """A producer commits often; no bug, but more moments to be killed at."""
    delivery.BATCH = copying.BATCH = 100


def frequent_checkpoints():
    """A learner saves often; no bug, but more of its lives begin from what it saved."""
    saves._SHARE = 0.1


def unhurried():
    """A learner rests after each turn; no bug, but a busy machine cannot kill it too late."""
    turn = Work._turn

    def planted(self, batches):
        turn(self, batches)
        time.sleep(GAP)

    Work._turn = planted


def frequent_retention():
    """The embedded log sweeps all the time; no bug, but no test need wait for it."""
    sqlite_writer._SWEEP = 0.0


def dies_at(place, hit):
    """A learner dies when it comes to a place for the `hit`-th time."""
    failpoints.plant(place, int(hit))
