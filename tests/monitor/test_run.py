import json
import urllib.error
import urllib.request

import pytest

from monitor.run import MOST, monitor
from stream.errors import SettingError, TopicMissing
from stream.sqlite import SqliteLog
from tests.monitor.made import NUMBERS, Step, log_with, message, said, store

RIGHT, WRONG = Step("up", "up"), Step("up", "down", events=["drift"], dead="too_large")


def get(url):
    """Return status and text of a page."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_end_is_summed_up():
    """Until the end means: read what is there, serve nothing, return the figures."""
    log = log_with({0: said([RIGHT, WRONG, RIGHT, RIGHT], [(2, True)] * 2)}, samples=10)

    summed_up = monitor(log, windows=(2, 3), until_end=True)

    main = summed_up["learners"]["main"]
    assert summed_up["stream"] == "tale"
    assert (main["samples"], main["scored"], main["drifts"], main["dead"]) == (4, 4, 1, 1)
    assert main["accuracy"] == 0.75
    assert main["lag"] == 6
    assert list(main["windows"]) == ["2", "3", "all", "fading"]
    assert main["windows"]["2"]["accuracy"] == 1.0
    assert main["windows"]["3"]["accuracy"] == 2 / 3
    assert main["windows"]["3"]["recall"] == {"macro": 1 / 3, "weighted": 2 / 3}
    assert main["windows"]["all"]["confusion"] == {"up": {"up": 3, "other": 1}}
    assert main["windows"]["fading"].keys() == {"accuracy"}
    assert main["baselines"] == {"no_change": 1.0, "majority": 1.0}
    assert json.loads(json.dumps(summed_up)) == summed_up


def test_a_regressor_is_summed_up_by_its_errors():
    """Where there is no accuracy there are mean errors."""
    log = log_with({0: [message([Step(1.0, 4.0)], 0, 0, task=NUMBERS)]})

    main = monitor(log, until_end=True)["learners"]["main"]

    assert (main["mae"], main["rmse"]) == (3.0, 3.0)
    assert "accuracy" not in main


def test_the_end_of_nothing_is_an_error():
    """Whoever asks for the end of outcomes that do not exist has mistaken the name."""
    with pytest.raises(TopicMissing, match=r"tale\.other\.outcomes"):
        monitor(log_with({0: []}), names=["other"], until_end=True)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"names": ["Main"]}, "learner 'Main'"),
        ({"windows": ()}, "--window"),
        ({"windows": (0,)}, "--window"),
        ({"windows": (2_000_000,)}, "--window"),
        ({"windows": range(1, MOST + 2)}, "--window"),
        ({"port": -1}, "--port"),
    ],
)
def test_an_impossible_setting_is_named(setting, sentence):
    """Each is refused with what was found and what it may be."""
    with pytest.raises(SettingError, match=sentence):
        monitor(log_with({0: []}), stopping=lambda: True, **setting)


def test_a_monitor_starts_before_its_learner_and_serves_what_comes(tmp_path):
    """It answers at once, is ready when the outcomes have come, and shows them."""
    log = SqliteLog(tmp_path / "s.db")
    pages, rounds, looking = {}, iter(range(3)), []

    def stopping():
        """Look at the pages between two steps, as often as there are rounds."""
        if looking:
            return False  # asked by a page that is looked at
        looking.append(turn := next(rounds))
        pages[turn] = {path: get(url[0] + path) for path in ("/readyz", "/livez", "/metrics")}
        if turn == 0:
            log.create("local.main.outcomes", partitions=1)
            store(log, {0: [message([RIGHT, WRONG], 0, 1)]})
        looking.clear()
        return turn == 2

    url = []
    summed_up = monitor(log, port=0, stopping=stopping, announce=url.append, windows=(1, 500))

    assert pages[0]["/readyz"] == (503, "not ready\n")
    assert pages[0]["/livez"] == (200, "ok\n")
    assert pages[2]["/readyz"] == (200, "ready\n")
    accuracy = 'prequential_accuracy_ratio{learner="main",stream="local",window="500"} 0.5'
    assert f"driftline_{accuracy}" in pages[2]["/metrics"][1]
    assert "process_cpu_seconds_total" in pages[2]["/metrics"][1]
    assert summed_up["learners"]["main"]["accuracy"] == 0.5
    log.close()
