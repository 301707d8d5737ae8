import pytest

from stream.connect import _from_environment, connect
from stream.errors import SettingError


@pytest.mark.parametrize(
    "url", ["", "s.db", "sqlite:", "redis://x/y", "kafka:x", "kafka://host:9092", "kafka:///s"]
)
def test_what_is_no_address_is_a_wrong_setting(url):
    """The sentence says what an address looks like."""
    with pytest.raises(SettingError):
        connect(url)


def test_a_path_is_the_embedded_log(tmp_path):
    """The file is made where the address says."""
    log = connect(f"sqlite:{tmp_path / 'a b.db'}")
    assert log.stream == "local"
    assert (tmp_path / "a b.db").is_file()
    log.close()


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
