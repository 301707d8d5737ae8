"""The learner of one partition: all its state, and what a record does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any

from learner.breaker import Recent
from learner.ceiling import Ceiling
from learner.clock import Age, EventTime, GrainTime
from learner.config import Config
from learner.forgetting import id_of, let_go, say_whose
from learner.grains import Untaught, columns_of
from learner.inputs import InputWatch
from learner.labels import Waiting
from learner.making import policy_of, two_of, watch_of
from learner.models.model import Guess, ModelError
from learner.policies.policy import Action
from learner.reading import Between, Columns, Entries, Reading, pieces_of, with_breaks
from learner.refusing import LABELS, is_command, model_error, refuse_label
from learner.resources import SAMPLED
from learner.scores import Scores
from learner.turn import Turn
from stream.errors import RecordError
from stream.records import (
    LARGEST,
    NO_GUESS,
    NOT_FINITE,
    SCORED,
    UNSET,
    Declare,
    Features,
    Label,
    Prediction,
    Promote,
    Record,
    Totals,
    decode_command,
    decode_mark,
    text_of,
)
from stream.texts import shown
from stream.topic import Batch

Decoded = tuple[int, bytes, Record]


class Learner:
    """One partition's model, detector, policy, labels and sums, and the cursor they stand at.

    Everything in it follows from the configuration, the start, and the records from there
    to the cursor; a checkpoint is this object, whole.
    """

    name: str | None = None
    """Whose it is, for commands that are for one learner alone."""
    event_time: EventTime | None = None
    """How late it is by the records, where the policy wants to know."""
    inputs: InputWatch | None = None
    """What watches features and guesses, where that is asked for."""
    worst = 0.0
    """The largest error of a number that was watched."""

    def __init__(self, config: Config, partition: int, start: int) -> None:
        self.config, self.partition, self.start, self.cursor = config, partition, start, start
        self.reading = Reading(config.mapping)
        self.classes: Sequence[Label] | None = config.classes
        self.policy = policy_of(config, self.classes)
        model = self.policy.model
        self.task = model.task
        self.grain = config.grain or model.grain
        self.ceiling = self._ceiling()
        self.watch = watch_of(config, self.policy)
        self.two = two_of(self.policy, self.classes)
        self.waiting: dict[str, Waiting] = {}
        self.age = self._age()
        self.untaught = Untaught()
        self.scores = Scores(self.task)
        self.grain_time = GrainTime(config.grain_seconds, max_jump=config.max_jump)
        self.recent = Recent()
        self._late_before = 0
        if self.policy.paced:
            self.event_time = EventTime(config.max_jump)
        if config.watch_inputs is not None:
            self.inputs = InputWatch(config.watch_inputs, self.task)

    def _ceiling(self) -> Ceiling | None:
        most = self.config.max_parameters
        return None if most is None else Ceiling(most, self.policy.model)

    def _age(self) -> Age | None:
        seconds = self.config.pending_seconds
        return None if seconds is None else Age(seconds, max_jump=self.config.max_jump)

    def complete(self) -> None:
        """Add what a checkpoint of an older version lacks, as if nothing had come by yet."""
        for name, made in (("recent", Recent), ("age", self._age), ("ceiling", self._ceiling)):
            if not hasattr(self, name):
                setattr(self, name, made())
        untaught: Any = self.untaught
        if isinstance(untaught, list):  # of a version that kept it in rows
            self.untaught = Untaught()
            for row in untaught:
                self.untaught.add(*row)

    @property
    def totals(self) -> Totals:
        """All sums, as they stand at the cursor."""
        totals = self.scores.snapshot()
        totals.dead = dict(sorted(totals.dead.items()))
        totals.pending = len(self.waiting)
        totals.late_features = self._late_before + self.policy.model.late_features
        totals.arms = self.policy.arms
        return totals

    def learn(
        self, batch: Batch, *, answer: str = "asked", between: Between | None = None
    ) -> Turn:
        """Take the records of a batch, which begins at the cursor; return what came of them.

        `answer` says which samples get a prediction: asked (questions only), all or none.
        `between` is called now and then between two records, with the offset of the next.
        Where the stream is cut into batches shows nowhere in the outcomes.
        """
        turn = Turn(self.cursor, batch.next)
        if self._direct:
            decoded = self._decoded(batch.entries, turn, between)
            with turn.timed.on(model := self.policy.model):
                self._take(islice(decoded, SAMPLED), model.guess, turn, answer)
            self._take(decoded, self.policy.model.guess, turn, answer)
        else:
            with turn.timed.on(self.policy.model):
                self._take_grains(batch.entries, turn, answer, between)
        # What cannot be decoded is found earlier than what cannot be guessed.
        turn.settle()
        self.recent.take(batch.entries, turn.dead)
        self.cursor = batch.next
        columns = turn.transposed()
        turn.errors = self.scores.update(columns[4], columns[5], columns[9])
        return turn

    @property
    def _direct(self) -> bool:
        """Whether each sample is guessed and learned before the next is looked at."""
        return self.grain == 1 and self.policy.model.one_by_one

    def _decoded(
        self, entries: Entries, turn: Turn, between: Between | None = None
    ) -> Iterator[Decoded]:
        """Decode some at a time: many at once cost less, all at once leave the CPU's cache."""
        pieces: Iterable[Entries] = pieces_of(entries)
        if between is not None:
            pieces = with_breaks(pieces, between)
        return chain.from_iterable(
            zip(*self._columns(piece, turn), strict=True) for piece in pieces
        )

    def _columns(self, entries: Entries, turn: Turn) -> Columns:
        model = self.policy.model
        return self.reading.columns(
            entries, model, spec=self.config.model, refuse=partial(self._bury, turn)
        )

    def _take_grains(
        self,
        entries: Entries,
        turn: Turn,
        answer: str,
        between: Between | None = None,
    ) -> None:
        """Take records in parts, none of which reaches beyond the end of a grain."""
        offsets: list[int] = []
        values: list[bytes] = []
        records: list[Record] = []
        for piece in pieces_of(entries):
            at, came, read = self._columns(piece, turn)
            offsets += at
            values += came
            records += read
        start = 0
        while start < len(records):
            stop, ended = self._reach(values, records, start)
            part = slice(start, stop)
            self._take_part(offsets[part], values[part], records[part], turn, answer)
            start, last = stop, offsets[stop - 1]
            if ended or len(self.untaught) >= self.grain:
                self._end_grain(last, turn)
            if between is not None:
                between(last + 1)

    def _reach(
        self, values: Sequence[bytes], records: Sequence[Record], start: int
    ) -> tuple[int, bool]:
        """Return where the part from `start` stops, and whether the grain ends there.

        No record adds more than one labelled sample, so as many as the grain has room for
        cannot overfill it, and guesses for all of them can be asked for at once.
        """
        stop = min(len(records), start + self.grain - len(self.untaught))
        timed, clock = self.config.grain_seconds is not None, self.event_time
        commands = [record.command for record in records[start:stop]]
        if not timed and clock is None and commands.count(None) == len(commands):
            return stop, False
        for at in range(start, stop):
            record = records[at]
            if clock is not None:
                clock.observe(record.ts)
            if (timed and self.grain_time.over(record.ts)) or is_command(record, values[at]):
                return at + 1, True
        return stop, False

    def _take_part(
        self,
        offsets: Sequence[int],
        values: Sequence[bytes],
        records: Sequence[Record],
        turn: Turn,
        answer: str,
    ) -> None:
        """Take records of one grain: side by side where all are plain, else one by one."""
        model = self.policy.model
        part = zip(offsets, values, records, strict=True)
        if model.one_by_one:
            # One that draws lots must not be asked twice: how often would hang on the part.
            self._take(part, model.guess, turn, answer)
            return
        xs = [record.x for record in records if record.x is not UNSET]
        try:
            guesses = model.guess_many(xs)
        except ModelError:
            self._take(part, model.guess, turn, answer)  # to find out which it was
            return
        odd = self.waiting or self.age is not None or answer == "all" or self.two is not None
        if odd or not self._take_plain(offsets, values, records, xs, guesses, turn):
            each = iter(guesses)
            self._take(part, lambda _: next(each), turn, answer)

    def _take_plain(
        self,
        offsets: Sequence[int],
        values: Sequence[bytes],
        records: Sequence[Record],
        xs: Sequence[Features],
        guesses: Sequence[Guess],
        turn: Turn,
    ) -> bool:
        """Take labelled samples; return False, with nothing done, where one is not plain."""
        found = columns_of(
            offsets,
            records,
            guesses,
            arm=self.policy.arm,
            task=self.task,
            types=LABELS[self.task],
            known=self.policy.model.classes,
        )
        if found is None:
            return False
        ys, labels = found[4], found[5]
        turn.extend(found)
        self.scores.totals.samples += len(ys)
        if self.watch is not None or self.inputs is not None:
            for n, (offset, y, label) in enumerate(zip(offsets, ys, labels, strict=True)):
                if self.inputs is not None:
                    self._watch_inputs(xs[n], guesses[n], offset, turn)
                if self.watch is not None:
                    self._watch_error(y, label, SCORED, offset, turn)
        self.untaught.extend(xs, ys, offsets, values)
        return True

    def _end_grain(self, offset: int, turn: Turn) -> None:
        self.grain_time.begin()
        self._decide(len(self.untaught), offset, turn)
        if not self.untaught:
            return
        grain, self.untaught = self.untaught, Untaught()
        if self.policy.stores:
            say_whose(self.policy, [*map(self._whose, grain.offsets, grain.values)])
        try:
            self.policy.model.learn(grain.xs, grain.ys)
        except ModelError as error:
            for at, value in zip(grain.offsets, grain.values, strict=True):
                self._bury(turn, at, value, model_error(error, "not_learned"), offset)
            what = {"samples": len(grain), "error": shown(str(error))}
            turn.events.append((offset, "not-learned", what))
        if self.policy.said:
            self._tell(self.policy.told(), offset, turn)
        self._outgrown(offset, turn, len(grain))

    def _decide(self, samples: int, offset: int, turn: Turn) -> None:
        """Let the policy do what it has decided, before a grain of so many is learned."""
        if self.event_time is not None:
            self.policy.passed(samples, self.event_time.now)
        if self.policy.due:
            self._act(offset, turn)

    def _act(self, offset: int, turn: Turn) -> None:
        late = self.policy.model.late_features
        done = self.policy.act()
        self._late_before += late - self.policy.model.late_features
        self._tell(done, offset, turn)

    def _tell(self, done: Iterable[Action], offset: int, turn: Turn) -> None:
        """Note what the policy has done, or has heard from detectors of its own."""
        for kind, details in done:
            self.scores.totals.count(kind)
            turn.events.append((offset, kind, details))

    def _outgrown(self, offset: int, turn: Turn, learned: int = 1) -> bool:
        """Start over with a new model if this one holds more than it may; return whether.

        The detector starts over with it: that a new model errs more is no drift.
        """
        if self.ceiling is None or not self.ceiling.reached(self.policy.model, learned):
            return False
        self._late_before += self.policy.model.late_features
        before, self.policy = self.policy, policy_of(self.config, self.classes)
        self.policy.succeed(before)
        self.watch = watch_of(self.config, self.policy)
        self.scores.totals.resets += 1
        self.scores.totals.outgrown += 1
        why = {"why": "outgrown", "max_parameters": self.ceiling.most}
        turn.events.append((offset, "reset", why))
        return True

    def _take(
        self,
        decoded: Iterable[Decoded],
        guess: Callable[[Features], Guess],
        turn: Turn,
        answer: str,
    ) -> None:
        """Guess, score and learn records in their order; the hot loop."""
        policy, watch, two, waiting = self.policy, self.watch, self.two, self.waiting
        direct, clock = self._direct, self.event_time if self._direct else None
        teach, known = policy.model.learn_one, policy.model.classes
        inputs = self.inputs
        types, regression = LABELS[self.task], self.task == "regression"
        number, unsupervised = self.task != "classification", policy.model.unsupervised
        add, answer_all = turn.added.append, answer == "all"
        codes, labels = (two.codes, two.labels) if two else ({}, {})
        bounded = direct and self.ceiling is not None
        keeps = bool(policy.stores)
        aging, samples = self.age is not None, 0
        x: Any
        y: Any
        y_pred: Any
        id_: Any
        for offset, value, record in decoded:
            if aging:
                self._expire(record.ts)
            x, y = record.x, record.y
            if clock is not None:
                clock.observe(record.ts)
            if x is UNSET:
                # A declaration asks whether any came before it, in this turn too.
                self.scores.totals.samples += samples
                samples = 0
                found = self._aside(offset, value, record, turn)
                if record.command and direct:
                    # A declaration may have brought another model.
                    policy = self.policy
                    guess, teach = policy.model.guess, policy.model.learn_one
                    two, known, keeps = self.two, policy.model.classes, bool(policy.stores)
                    codes, labels = (two.codes, two.labels) if two else ({}, {})
                if found is None:
                    continue
                of, id_, ts, x, (y_pred, p), arm, _ = found
            else:
                samples += 1
                try:
                    y_pred, p = guess(x)
                except ModelError as error:
                    if record.id is None or str(record.id) not in waiting:
                        samples -= 1
                        self._bury(turn, offset, value, model_error(error))
                        continue
                    y_pred = p = None  # the guess that counts was made before
                of, id_, ts, arm = offset, record.id, record.ts, policy.arm
                if id_ is None:
                    id_ = f"{self.partition}@{offset}"
                if waiting and str(id_) in waiting:
                    found = self._asked_before(offset, value, record, id_, turn)
                    samples -= 1
                    if found is None:
                        continue
                    of, id_, ts, x, (y_pred, p), arm, _ = found
                else:
                    if inputs is not None:
                        self._watch_inputs(x, (y_pred, p), offset, turn)
                    if y is None:
                        self._ask(Waiting(of, id_, ts, x, (y_pred, p), arm), turn, answer)
                        if unsupervised:
                            self._teach(x, offset, value, turn)
                            if bounded:
                                self._outgrown(offset, turn)
                            if direct:
                                policy = self.policy
                                guess, teach = policy.model.guess, policy.model.learn_one
                        continue
            try:
                if (
                    type(y) not in types
                    or (known is not None and y not in known)
                    or (regression and not -LARGEST <= y <= LARGEST)
                ):
                    refuse_label(
                        y,
                        self.task,
                        self.config.model,
                        needs_classes=policy.model.needs_classes,
                    )
                code = y if two is None else codes[y] if y in codes else two.code(y)
            except RecordError as error:
                # If a sample waited for it, that goes on waiting, at its place in the queue.
                samples -= of == offset
                self._bury(turn, offset, value, error)
                continue
            if of != offset:
                del waiting[str(id_)]
                self.scores.totals.repeated += record.x is not UNSET
            if two is None:
                label = y_pred
            else:
                label = labels[y_pred] if y_pred in labels else two.label(y_pred)
            flag, p_true, p_pred = SCORED, None, None
            if label is None:
                flag = NO_GUESS
            elif number:
                if not -LARGEST <= y_pred <= LARGEST:
                    flag = NOT_FINITE
            elif p is not None:
                p_true, p_pred = p.get(code, 0.0), p.get(y_pred)
                if p_pred != p_pred:
                    flag, p_true, p_pred = NOT_FINITE, None, None
            add((offset, of, id_, ts, y, label, p_true, p_pred, arm, flag))
            if answer_all and of == offset:
                self._answer(Waiting(of, id_, ts, x, (y_pred, p), arm), turn)
            if watch is not None and flag != NO_GUESS:
                self._watch_error(y, label, flag, offset, turn)
            if unsupervised and of != offset:
                continue  # learned when it came
            if direct:
                if clock is not None:
                    policy.passed(1, clock.now)
                if policy.due:
                    self._act(offset, turn)
                    guess, teach = policy.model.guess, policy.model.learn_one
                if keeps:
                    say_whose(policy, (str(id_),))
                try:
                    teach(x, code)
                except ModelError as error:
                    self._bury(turn, offset, value, model_error(error, "not_learned"))
                if policy.said:
                    self._tell(policy.told(), offset, turn)
                if bounded and self._outgrown(offset, turn):
                    policy = self.policy
                    guess, teach = policy.model.guess, policy.model.learn_one
                    keeps = bool(policy.stores)
            else:
                self.untaught.add(x, code, offset, value)
        self.scores.totals.samples += samples

    def _teach(self, x: Features, offset: int, value: bytes, turn: Turn) -> None:
        """Learn a sample without its label, or keep it for the end of the grain."""
        if self.grain > 1:
            self.untaught.add(x, False, offset, value)
            return
        self._decide(1, offset, turn)
        if self.policy.stores:
            say_whose(self.policy, (self._whose(offset, value),))
        try:
            self.policy.model.learn_one(x, False)
        except ModelError as error:
            self._bury(turn, offset, value, model_error(error, "not_learned"))
        if self.policy.said:
            self._tell(self.policy.told(), offset, turn)

    def _watch_error(self, y: Any, label: Any, flag: int, offset: int, turn: Turn) -> None:
        """Let the detector see the error of a guess, and the policy hear what it says."""
        if self.task == "classification":
            error = 1.0 if flag or y != label else 0.0
        elif flag:
            error = self.worst  # what is no number is no better than any that was one
        else:
            error = abs(y - label)
            self.worst = max(self.worst, error)
        alarm = self.watch.observe(error) if self.watch else None
        if alarm is None:
            return
        kind, details = alarm
        self.scores.totals.count(kind)
        turn.events.append((offset, kind, details))
        self.policy.why = details
        self.policy.alarm(kind)

    def _watch_inputs(self, x: Features, guess: Guess, offset: int, turn: Turn) -> None:
        """Note which features have moved, or the guesses themselves."""
        if self.inputs is None:
            return
        for kind, details in self.inputs.observe(x, guess):
            if kind == "guess-drift" and "value" in details:
                details["value"] = self.named((details["value"], None))[0]
            self._tell([(kind, details)], offset, turn)

    def _ask(self, asked: Waiting, turn: Turn, answer: str) -> None:
        """Keep a question until its label comes; the oldest makes room for the newest."""
        if self.age is not None:
            asked = asked._replace(since=self.age.now)
        self.waiting[str(asked.id)] = asked
        if len(self.waiting) > self.config.max_pending:
            self._give_up(next(iter(self.waiting)))
        if answer != "none":
            self._answer(asked, turn)

    def _expire(self, ts: float | None) -> None:
        """Take the time of a record; give up the questions that have waited for too long."""
        if (age := self.age) is None:
            return
        age.observe(ts)
        while self.waiting and age.over(self.waiting[id_ := next(iter(self.waiting))].since):
            self._give_up(id_)

    def _give_up(self, id_: str) -> None:
        del self.waiting[id_]
        self.scores.totals.expired += 1

    def _answer(self, asked: Waiting, turn: Turn) -> None:
        turn.predictions.append(self.prediction(asked))

    def prediction(self, asked: Waiting) -> Prediction:
        """Return the answer to a question that waits for its label."""
        y_pred, p = self.named(asked.guess)
        at = f"samples[{self.partition}]@{asked.of}"
        return Prediction(id=asked.id, y_pred=y_pred, at=at, p=p)

    def named(self, guess: Guess) -> tuple[Label | None, dict[str, float] | None]:
        """Return a guess in the words of the stream: its own labels, and their JSON texts."""
        y_pred, p = guess
        name = self.two.label if self.two else lambda label: label
        if p is None:
            return name(y_pred), None
        return name(y_pred), {
            text_of(code if (label := name(code)) is None else label): value
            for code, value in p.items()
        }

    def _asked_before(
        self, offset: int, value: bytes, record: Record, id_: int | str, turn: Turn
    ) -> Waiting | None:
        """Take a sample whose id waits: with y it brings the label, else it is refused.

        It may be called so only for its place, if somebody has used that as an id.
        """
        if record.y is None:
            message = f"question {id_!r} still waits for its label"
            self._bury(turn, offset, value, RecordError("duplicate_question", message))
            return None
        return self.waiting[str(id_)]

    def _aside(self, offset: int, value: bytes, record: Record, turn: Turn) -> Waiting | None:
        """Take a record without features; return the sample it brings the label of, if any."""
        try:
            if record.mark is not None:
                details = {"mark": record.mark, **decode_mark(value)}
                self.scores.totals.marks += 1
                turn.events.append((offset, "mark", details))
                return None
            if record.command is not None:
                self._obey(offset, value, turn)
                return None
            if not record.forget:
                return self._awaited(record)
            self._forget(record, offset, turn)
        except RecordError as error:
            self._bury(turn, offset, value, error)
        return None

    def _forget(self, record: Record, offset: int, turn: Turn) -> None:
        """Let go of a question that waits, and of what the policy keeps of one learned.

        What a model has learned of it stays learned.
        """
        kept = 0
        if record.id is not None:
            kept = let_go(self.policy, self.untaught, self._whose, str(record.id))
        if not kept or str(record.id) in self.waiting:
            del self.waiting[str(self._awaited(record).id)]
            self.policy.forget()
        turn.events.append((offset, "forget", {"kept": kept} if kept else {}))

    def _whose(self, offset: int, value: bytes) -> str:
        """Return the id of the sample that a record brought, or brought the label of."""
        return id_of(self.reading.any(value), self.partition, offset)

    def _awaited(self, record: Record) -> Waiting:
        """Return the sample that a label or a wish is for."""
        if record.id is None:
            raise RecordError("no_id", "a label or a wish to forget needs the id it is for")
        found = self.waiting.get(str(record.id))
        if found is None:
            raise RecordError(
                "unknown_id",
                f"no sample of id {record.id!r} waits in this partition, or no longer",
            )
        return found

    def _obey(self, offset: int, value: bytes, turn: Turn) -> None:
        command = decode_command(value)
        if isinstance(command, Promote):
            if command.learner is not None and command.learner != self.name:
                return
            self._tell(self.policy.promote(command.arm), offset, turn)
            return
        if not isinstance(command, Declare):
            return  # the end of a grain is seen where grains are cut
        classes = list(dict.fromkeys(command.classes))
        details: dict[str, Any] = {"classes": classes}
        if self.config.classes is not None or self.scores.totals.samples:
            details["ignored"] = True
        elif len(classes) > 1:
            self._declare(classes)
        turn.events.append((offset, "declare", details))

    def declared_before(self, classes: Sequence[Label]) -> None:
        """Hear of the classes that the stream declared in front of where this one begins."""
        # Who reads through a mapping hears nothing but what that finds.
        if self.config.classes is None and self.config.mapping is None and len(classes) > 1:
            self._declare(classes)

    def _declare(self, classes: Sequence[Label]) -> None:
        self.classes = [*classes]
        self.policy = policy_of(self.config, self.classes)
        self.watch = watch_of(self.config, self.policy)
        self.two = two_of(self.policy, self.classes)

    def _bury(
        self,
        turn: Turn,
        offset: int,
        value: bytes,
        error: RecordError,
        decided: int | None = None,
    ) -> None:
        """File a record as a dead letter, under its reason; `decided` later than its offset."""
        self.scores.totals.count_dead(error.reason)
        turn.dead.append((offset, value, error))
        turn.decided.append(offset if decided is None else decided)
