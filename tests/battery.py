"""The rows of the battery: the tests of every day, with larger numbers."""

from dataclasses import dataclass

LIMIT = 26 * 60.0
"""Seconds after which a row is ended."""


@dataclass(frozen=True, slots=True)
class Row:
    """Some tests, how much they are to do, and what they must have counted in the end.

    `tests` are arguments of pytest. `scale` stands for environment variables, each without
    its `DRIFTLINE_`. `reached` are sums over the counts that the tests themselves report,
    and `passed` is one for each test: a row whose tests were skipped has reached nothing.
    """

    name: str
    what: str
    tests: tuple[str, ...]
    scale: dict[str, int]
    reached: dict[str, int]


def _kills(name: str, what: str, tests: tuple[str, ...], kills: int, scale: int) -> list[Row]:
    """Return two rows that share out some kills, each with its own seeds."""
    return [
        Row(
            f"{name}-{half}",
            f"{what}, {half} of 2",
            tests,
            {"KILLS": scale // 2, "SEED": half},
            {"kills": kills // 2},
        )
        for half in (1, 2)
    ]


def _system(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/system/test_{name}.py" for name in names)


_NOWHERE = ("-k", "nowhere")
ROWS = (
    *_kills(
        "kill-sqlite",
        "kill -9 of a learner on SQLite",
        (*_system("kill_learner"), *_NOWHERE),
        kills=1000,
        scale=1000,
    ),
    *_kills(
        "kill-kafka",
        "kill -9 of a learner on Kafka",
        (*_system("kill_kafka"), *_NOWHERE),
        kills=300,
        scale=900,
    ),
    Row(
        "kill-several",
        "kill -9 of learners with several models on Kafka",
        (*_system("kill_several"), *_NOWHERE),
        {"KILLS": 600},
        {"kills": 100},
    ),
    Row(
        "kill-producer",
        "kill -9 of a producer on both logs",
        (*_system("kill_producer"), *_NOWHERE),
        {"KILLS": 300},
        {"kills": 380},  # one that came to its end before its kill is not counted
    ),
    Row(
        "kill-copy",
        "kill -9 of a copy of topics on both logs",
        (*_system("kill_copy"), *_NOWHERE),
        {"KILLS": 300},
        {"kills": 235},
    ),
    *(
        Row(
            f"failpoints-{log}",
            f"death at each named place, on {log}",
            (*_system("failpoints"), "-k", log),
            {"FAILPOINTS": 10},
            {"deaths": 10 * 29},
        )
        for log in ("sqlite", "kafka")
    ),
    Row(
        "planted",
        "bugs that were planted, and are caught",
        (*_system("planted", "kill_producer", "kill_copy"), "-k", "caught"),
        {"PLANTED": 1},
        {"caught": 24},
    ),
    Row(
        "malformed",
        "malformed records, and mutations of good ones",
        (
            "tests/driftline/test_bad_records.py",
            "tests/driftline/test_malformed.py",
            "tests/learner/test_mutations.py",
            "tests/learner/test_corpus.py",
            "tests/stream/test_corpus.py",
        ),
        {"MUTATIONS": 100_000},
        {"mutants": 100_000},
    ),
    Row(
        "zombies",
        "a frozen learner, another in its place, and it wakes",
        (*_system("groups"), "-k", "frozen or older"),
        {"ZOMBIES": 20},
        {"passed": 21},
    ),
    Row(
        "rebalances",
        "learners of one name come and go, end and are killed",
        (*_system("groups"), "-k", "come_and_go"),
        {"REBALANCES": 50},
        {"passed": 50},
    ),
    Row(
        "broker",
        "a broker that is killed, is not up yet, and is away for a minute",
        _system("broker"),
        {"BROKER_KILLS": 10, "BROKER_DOWN": 60},
        {"outages": 21, "passed": 1},
    ),
    Row(
        "network",
        "latency, resets, silence and cuts while producing, reading and committing",
        _system("network"),
        {"FAULTS": 60},
        {"passed": 60},
    ),
    Row(
        "guards",
        "slips of kafka-python, with our guard and without",
        ("tests/stream/test_kafka_guards.py", "tests/stream/test_kafka_poison.py"),
        {},
        {"passed": 22},
    ),
    Row(
        "flips",
        "checkpoints with a bit flipped, cut, forged, of another version",
        ("tests/learner/test_checkpoint_damage.py",),
        {"FLIPS": 2000},
        {"passed": 20},
    ),
    Row(
        "crash-states",
        "a checkpoint's writer that crashes between any two calls",
        ("tests/learner/test_checkpoint_crash.py",),
        {"CRASH_STATES": 200},
        {"passed": 6},
    ),
    Row(
        "machine",
        "all that may befall a learner, in any order",
        ("tests/learner/test_service_machine.py",),
        {"MACHINE": 300},
        {"passed": 2},
    ),
    Row(
        "compose",
        "containers of the stack killed, scaled, taken down; needs Docker",
        ("tests/compose/test_disturbed.py",),
        {"COMPOSE_KILLS": 10},
        {"kills": 30},
    ),
    Row(
        "soak",
        "three processes at a steady rate: what grows",
        _system("soak"),
        {"SOAK": 1500},
        {"passed": 1, "seconds": 1500, "scored": 600_000},
    ),
)
