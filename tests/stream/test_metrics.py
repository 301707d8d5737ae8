from prometheus_client import CollectorRegistry

from stream.metrics import BUILD, Computed, Described, Instruments, page, registry
from tests.pages import families, lint, values

COMMON = {"stream": "s"}
TURNS = Described("driftline_turns_total", "Turns.")
ENDS = Described("driftline_ends_total", "Ends, by kind.", ("kind",))
LAST = Described("driftline_last_timestamp_seconds", "When the last came.")
TIME = Described("driftline_turn_duration_seconds", "Time of a turn.")


def shown(of):
    """Return the text of a registry's page."""
    return page(of)[0].decode()


def test_a_counter_is_there_before_it_counts_and_a_gauge_once_it_is_known():
    """A first increase is seen as one; a moment that nobody knows is not the year 1970."""
    made = CollectorRegistry()
    its = Instruments(made, [TURNS, ENDS, LAST, TIME], COMMON)

    assert values(shown(made), **COMMON) == {
        "turns_total": 0.0,
        "turn_duration_seconds_count": 0.0,
        "turn_duration_seconds_sum": 0.0,
        **{("turn_duration_seconds_bucket", le): 0.0 for le in bounds(shown(made))},
    }

    its.add("driftline_turns_total", 2)
    its.add("driftline_ends_total", 1, "good")
    its.put("driftline_last_timestamp_seconds", 7.0)
    its.observe("driftline_turn_duration_seconds", 0.03)

    now = values(shown(made), **COMMON)
    assert (now["turns_total"], now["ends_total", "good"]) == (2.0, 1.0)
    assert now["last_timestamp_seconds"] == 7.0
    assert (now["turn_duration_seconds_count"], now["turn_duration_seconds_sum"]) == (1, 0.03)
    assert now["turn_duration_seconds_bucket", "0.025"] == 0
    assert now["turn_duration_seconds_bucket", "0.05"] == 1


def bounds(text):
    """Return the upper ends of the buckets on a page."""
    samples = families(text)["driftline_turn_duration_seconds"].samples
    return [it.labels["le"] for it in samples if "le" in it.labels]


def test_what_is_computed_is_computed_when_a_scrape_comes():
    """The page is of the moment, and registering a collector asks for nothing."""
    told = []

    def tell():
        told.append(ENDS.name)
        yield ENDS.name, ("s", "good"), len(told)

    labelled = ENDS._replace(labels=("stream", "kind"))
    made = registry(Computed([labelled, LAST], tell))

    assert told == []
    assert values(shown(made))["ends_total", "good", "s"] == 1
    assert values(shown(made))["ends_total", "good", "s"] == 2


def test_every_page_says_what_is_at_work_and_pleases_promtool():
    """Versions by label; no series tells when a counter was made."""
    made = registry()
    Instruments(made, [TURNS, ENDS, LAST, TIME], COMMON).add(ENDS.name, 1, 'a"b\n}')
    text = shown(made)

    (sample,) = families(text)[BUILD.name].samples
    assert sample.value == 1.0
    assert set(sample.labels) == {"version", "python", "river", "scikit_learn", "kafka_python"}
    assert all(sample.labels.values())
    assert "_created" not in text
    lint(text)


def test_openmetrics_is_spoken_when_asked_for():
    """Prometheus may ask for the newer format, and gets it."""
    content, content_type = page(registry(), "application/openmetrics-text;version=1.0.0")

    assert content.endswith(b"# EOF\n")
    assert content_type.startswith("application/openmetrics-text")
