import pytest

from stream.connect import _from_environment, _warn_of_plain_text, connect, open_topic
from stream.errors import Fenced, SettingError, TopicMissing


@pytest.mark.parametrize(
    "url",
    [
        *("", "s.db", "redis://x/y", "kafka:x", "kafka://host:9092", "kafka:///s"),
        *("sqlite:", "sqlite::memory:", "sqlite://s.db", "sqlite://"),
        *("kafka://h:99999/s", "kafka://h:x/s", "kafka://u:p@h:1/s", "kafka://[::1/s"),
    ],
)
def test_what_is_no_address_is_a_wrong_setting(url):
    """The sentence says what an address looks like."""
    with pytest.raises(SettingError):
        connect(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "s.db", "redis://x/y", "kafka:x", "kafka://host:9092", "kafka:///s"),
        *("kafka://h:1/a/b", "kafka://h:1/a b", "kafka://h:1/" + 250 * "a"),
        *("sqlite:", "sqlite::memory:", "sqlite://s.db"),
    ],
)
def test_what_is_no_address_of_a_topic_is_a_wrong_setting(url):
    """The sentence names the setting that brought it."""
    with pytest.raises(SettingError, match=r"^labels "):
        open_topic(url, "labels")


def test_a_topic_of_somebody_elses_is_never_made(tmp_path):
    """Neither the file nor the topic in it; where it is there, it is read."""
    path = tmp_path / "s.db"
    with pytest.raises(SettingError, match="no embedded log at"):
        open_topic(f"sqlite:{path}", "source")
    assert not path.exists()
    log = connect(f"sqlite:{path}")
    with pytest.raises(SettingError, match=r"holds no topic .local\.samples."):
        open_topic(f"sqlite:{path}", "source")
    made = log.create("local.samples", partitions=3)
    its, topic = open_topic(f"sqlite:{path}", "source")
    assert (topic.identity, topic.partitions) == (made.identity, 3)
    its.close()
    log.close()


def test_a_path_is_the_embedded_log(tmp_path):
    """The file is made where the address says."""
    log = connect(f"sqlite:{tmp_path / 'a b.db'}")
    assert log.stream == "local"
    assert (tmp_path / "a b.db").is_file()
    log.close()


def test_a_reader_makes_no_file(tmp_path):
    """A path with nothing there is refused, one with a log is opened."""
    url = f"sqlite:{tmp_path / 's.db'}"
    with pytest.raises(SettingError, match="no embedded log at"):
        connect(url, create=False)
    assert list(tmp_path.iterdir()) == []
    connect(url).close()
    connect(url, create=False).close()


def test_a_path_from_the_root_may_have_three_slashes(tmp_path):
    """As other tools write it."""
    connect(f"sqlite://{tmp_path / 's.db'}").close()
    assert (tmp_path / "s.db").is_file()


@pytest.mark.parametrize(
    ("topic", "command"), [("s.samples", "produce"), ("s.main.outcomes", "learn")]
)
def test_a_missing_topic_names_the_command_that_makes_it(topic, command):
    """Samples are produced, the rest is a learner's."""
    assert f"'driftline {command}'" in str(TopicMissing.named(topic, "this log"))


@pytest.mark.parametrize(
    ("writer", "learner"),
    [
        ("driftline.local.main", True),
        ("local.river-Phishing.0123456789ab", False),
        ("driftline.iris.csv.0123456789ab", False),
    ],
)
def test_a_fenced_learner_may_have_another_name(writer, learner):
    """A producer has no name to choose; not even on a stream that is called driftline."""
    said = str(Fenced.by_name(writer))
    assert "end one of the two" in said
    assert ("--name" in said) == learner


def test_settings_come_from_the_environment_and_secrets_from_files(tmp_path):
    """A password stays the text it is, without the line's end."""
    secret = tmp_path / "password"
    secret.write_text("00123\n")
    found = _from_environment(
        {
            "DRIFTLINE_KAFKA_SASL_MECHANISM": "PLAIN",
            "DRIFTLINE_KAFKA_SASL_PLAIN_PASSWORD_FILE": str(secret),
            "HOME": "x",
        }
    )
    assert found == {"sasl_mechanism": "PLAIN", "sasl_plain_password": "00123"}


def test_a_secret_that_cannot_be_read_is_named(tmp_path):
    """The variable and the path, never a value."""
    with pytest.raises(SettingError, match=r"SSL_PASSWORD_FILE names .*nothing"):
        _from_environment({"DRIFTLINE_KAFKA_SSL_PASSWORD_FILE": str(tmp_path / "nothing")})


@pytest.mark.parametrize(
    "url",
    [
        *("redis://me:hunter@h/0", "kafka://me:hunter@h:1/", "kafka://me:hun/ter@h:1/s"),
        *("kafka://me:hunter@/s", "https://me:hunt@er@h/x"),
    ],
)
def test_a_password_in_an_address_is_not_said_again(url):
    """Who put it there has shown it to enough people."""
    for way in (connect, lambda url: open_topic(url, "labels")):
        with pytest.raises(SettingError) as raised:
            way(url)
        assert "hun" not in str(raised.value)


@pytest.mark.parametrize(
    ("brokers", "protocol", "warned"),
    [
        (["kafka.example:9092"], "SASL_PLAINTEXT", True),
        (["127.0.0.1:9092", "10.0.0.1:9092"], "SASL_PLAINTEXT", True),
        (["localhost:9092", "127.0.0.9:1", "[::1]:2"], "SASL_PLAINTEXT", False),
        (["kafka.example:9092"], "SASL_SSL", False),
        (["kafka.example:9092"], None, False),
    ],
)
def test_a_password_that_goes_as_plain_text_is_warned_of(caplog, brokers, protocol, warned):
    """Beyond this machine everyone on the way could read it."""
    _warn_of_plain_text(brokers, {"security_protocol": protocol} if protocol else {})

    assert ("as plain text" in caplog.text) == warned
