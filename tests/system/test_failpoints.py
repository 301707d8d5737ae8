import random
from contextlib import closing

import pytest

from tests.counts import number
from tests.system.campaigns import GOES_ON
from tests.system.failpoints import AFTER, COMMITTING, REPLAYING, SAVING, STARTING, TURNING
from tests.system.lives import PATIENCE, SEED, Told, faults
from tests.system.streams import NERVOUS, seen, strew

ROUNDS = number("FAILPOINTS", 1)
"""Deaths at each place."""
PER_DEATH = 300
"""Records for each death, on the way from the first to the last."""
SETTINGS = ("--model", "hoeffding-tree", "--policy", "reset", "--detector", NERVOUS)


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def kind(request):
    """Give the name of each kind of log."""
    return request.param


@pytest.fixture
def url(kind, request, tmp_path):
    """Give the address of an empty log of that kind."""
    if kind == "kafka":
        return request.getfixturevalue("kafka_stream")
    return f"sqlite:{tmp_path / 's.db'}"


@pytest.fixture
def live(nursery, tmp_path, url):
    """Give a function that runs a learner from its start to its end, and returns its life."""
    (tmp_path / "key").write_text("k" * 40)
    common = ("--stream", url, "--state", tmp_path / "state", "--key-file", tmp_path / "key")

    def live(name, *plants):
        how = ("--name", name, "--member", "a", "--turn", 30, "--until-end")
        life = nursery.start("learn", *common, *how, *SETTINGS, cwd=tmp_path, plants=plants)
        life.wait(2 * PATIENCE)
        return life

    return live


def deaths(kind, rng):
    """Return places in any order, and for each at which time it is reached one dies there."""
    found = []
    order = [*STARTING, *REPLAYING, *TURNING, *SAVING, *COMMITTING[kind]]
    for place in rng.sample(order, len(order)):
        if place in REPLAYING:
            # One that dies after some commits leaves something that must be said no more.
            found.append((AFTER, 4))
        often = place in TURNING or place in COMMITTING[kind]
        found.append((place, rng.randint(2, 4) if often else 1))
    return found


@pytest.mark.timeout(60 + 120 * ROUNDS)
def test_a_death_at_any_named_place_shows_nowhere(kind, url, live, nursery, tmp_path, report):
    """Each place is met, one dies there, and the next goes on as if nobody had."""
    rng = random.Random(SEED + 11)
    dead = [death for _ in range(ROUNDS) for death in deaths(kind, rng)]
    strew(url, PER_DEATH * len(dead), seed=SEED + 12)

    replays = 0
    for place, hit in dead:
        # Elsewhere few checkpoints are wanted, so that there is something to replay.
        more = ["frequent_checkpoints"] if place in SAVING else []
        life = live("main", f"dies_at:{place}:{hit}", *more)
        assert life.err.splitlines()[-1] == f"died at {place}", (place, hit, life.err)
        assert life.code == -9, (place, life.code)
        replays += sum(int(c) < int(said) for _, c, said in GOES_ON.findall(life.err))
    for name in ("main", "oracle"):
        assert live(name).code == 0

    report(deaths=len(dead), places=len({place for place, _ in dead}), replays=replays)
    with closing(Told(url)) as told, closing(Told(url, "oracle")) as oracle:
        assert faults(told, oracle, exactly_once=True) == []
        assert any(oracle.beside("dead").values())
    mine, oracles = (seen(nursery, url, name, cwd=tmp_path) for name in ("main", "oracle"))
    assert mine == oracles
    assert replays > 0.5 * len(dead)
    assert len({place for place, _ in dead}) >= 14
