from stream.metrics import Described
from tools.metrics import PAGE, SERVICES, text, unit


def test_the_page_of_metrics_is_the_one_that_the_tables_give():
    """Else 'python -m tools.metrics' was forgotten."""
    assert PAGE.read_text() == text()


def test_no_two_services_have_a_metric_of_one_name():
    """Else one that asks for it would count twice, or meet labels it does not expect."""
    names = [it.name for service in SERVICES for it in service.metrics]

    assert len(names) == len({*names})
    assert all(name.startswith("driftline_") for name in names)


def test_every_metric_says_what_it_means_in_a_sentence():
    """Begun with a capital or a figure, and ended."""
    for service in SERVICES:
        for it in service.metrics:
            assert it.help.endswith(".")
            assert it.help[0].isupper() or it.help[0].isdigit()
            assert not {*it.labels} & {*service.labels}


def test_a_unit_is_read_from_a_name():
    """The longest ending decides."""
    for name, expected in (
        ("driftline_learner_turn_duration_seconds", "seconds"),
        ("driftline_checkpoint_timestamp_seconds", "seconds of the epoch"),
        ("driftline_learner_cpu_seconds_total", "seconds"),
        ("driftline_prequential_mae", "the label's"),
        ("driftline_resets_total", "1"),
    ):
        assert unit(Described(name, "")) == expected
