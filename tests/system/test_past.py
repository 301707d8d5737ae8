"""A past, learned by a process that is killed again and again."""

import json

import pytest

from tests.system.lives import Told, eventually

SAMPLES, BEGIN, END, KILLS = 6000, 1000, 5000, 4
SETTINGS = ("--model", "hoeffding-tree", "--policy", "reset", "--turn", 50)


@pytest.fixture(
    params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)],
)
def url(request, tmp_path):
    """Give the address of a stream of each kind in turn."""
    if request.param == "kafka":
        return request.getfixturevalue("kafka_stream")
    return f"sqlite:{tmp_path / 's.db'}"


def rows(messages):
    """Return the outcomes of a partition by row, once each, and all events."""
    found, events = [], []
    for message in messages:
        columns = message["rows"]
        found += zip(*columns.values(), strict=True)
        events += message["events"]
    return found, events


def told(url, name):
    """Return all that a learner has said in partition 0."""
    reader = Told(url, name)
    reader.finish()
    reader.log.close()
    return rows(reader.messages[0])


@pytest.mark.timeout(300)
def test_a_past_whose_learner_is_killed_is_the_live_learner_s(nursery, tmp_path, url):
    """From the stream's start it says what that one said; from later on, what one never killed.

    What the live learner has said stays as it was.
    """
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text("k" * 40)
    # Who has a name of its own need not wait for its last life's session to run out.
    common = ("--stream", url, "--state", tmp_path / "state", "--key-file", key)
    common += ("--member", "a")
    source = ("--source", "synth:Sine(seed=7)", "--limit", SAMPLES, "--drift", "abrupt@2500")
    nursery.run("produce", *source, "--stream", url, cwd=tmp_path)
    nursery.run("learn", *common, *SETTINGS, "--until-end", cwd=tmp_path)
    live = told(url, "main")

    for begin in (0, BEGIN):
        past = ("learn", *common, *SETTINGS, "--from", begin, "--to", END, "--json")
        for number in range(KILLS):
            life = nursery.start(*past, cwd=tmp_path, plants=["frequent_checkpoints"])
            name = life.said("outcomes=").split("name=")[1].split()[0]
            reader = Told(url, name)
            reach = begin + (END - begin) * (number + 1) // (KILLS + 1)
            eventually(lambda: reader.follow().get(0, 0) >= reach or not life.alive)  # noqa: B023
            reader.log.close()
            life.end()
        summary = json.loads(nursery.run(*past, cwd=tmp_path).out.splitlines()[-1])
        assert summary["name"] == name
        assert summary["cursor"] == {"0": END}

        found, events = told(url, name)
        if begin == 0:
            assert found == [row for row in live[0] if row[0] < END]
            assert events == [event for event in live[1] if event[0] < END]
            assert {kind for _, kind, _ in events} >= {"mark", "drift", "reset"}
        else:
            alone = ("--name", "past-alone", "--from", begin, "--to", END, *SETTINGS)
            nursery.run("learn", *common, *alone, cwd=tmp_path)
            assert (found, events) == told(url, "past-alone")
            assert found[0][0] == BEGIN
    assert told(url, "main") == live
