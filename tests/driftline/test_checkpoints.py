"""The commands about checkpoints, in a folder and in a store that is reached by an address."""

import json
import stat
from pathlib import Path

import pytest

LEARN = ("learn", "--stream", "sqlite:s.db", "--policy", "none", "--until-end")


@pytest.fixture
def stored(run, tmp_path, monkeypatch):
    """Give the same function as `run`, where a learner has saved to a store; and its flags."""
    monkeypatch.setattr("learner.checkpoint._PROBING", 60.0)  # however slow the machine is
    where = ("--state", f"file://{tmp_path}/store", "--key-file", "shared.key")
    assert run("checkpoints", "key", "shared.key")[0] == 0
    assert run("produce", "--stream", "sqlite:s.db", "--source", "sklearn:iris")[0] == 0
    assert run(*LEARN, *where)[0] == 0
    return run, where


def test_a_key_is_made_for_its_owner_and_never_over_another(run):
    """Mode 0600; a second time it is refused, and the key stays what it was."""
    code, out, err = run("checkpoints", "key", "shared.key")
    key = Path("shared.key")
    assert (code, out) == (0, "")
    assert "--key-file" in err
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_text()
    code, _, err = run("checkpoints", "key", "shared.key")
    assert code == 2
    assert "is there already" in err
    assert key.read_text() == before
    assert before not in err


def test_a_store_is_listed_shown_verified_and_examined(stored):
    """As a folder is; what is damaged in it is named."""
    run, where = stored
    code, out, _ = run("checkpoints", "list", *where, "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert (row["cursor"], row["partition"]) == (151, 0)
    assert row["bytes"] == Path(row["path"]).stat().st_size
    said = json.loads(run("checkpoints", "show", *where)[1])
    assert (said["cursor"], said["probes"]) == (151, 8)
    code, out, _ = run("checkpoints", "verify", *where)
    assert (code, out.split()[0]) == (0, "fine")
    examine = ("doctor", "--stream", "sqlite:s.db", *where, "--port", "0", "--json")
    found = json.loads(run(*examine)[1])["findings"]
    texts = [each["found"] for each in found if each["step"] == "checkpoints"]
    assert any("1 checkpoint, the newest at 151" in text for text in texts)
    assert any("signature fine" in text for text in texts)

    path = Path(row["path"])
    path.write_bytes(path.read_bytes()[:-1])
    code, out, _ = run("checkpoints", "verify", *where)
    assert (code, out.split()[0]) == (1, "bad")
    found = json.loads(run(*examine)[1])["findings"]
    assert any("not what its manifest names" in each["found"] for each in found)


def test_a_learner_goes_on_from_a_store(stored):
    """Started again it has nothing to do, and a damaged checkpoint is counted and replaced."""
    run, where = stored
    (path,) = Path("store/local/main/p0").glob("0*")
    path.write_bytes(b"nothing")
    code, out, err = run(*LEARN, *where, "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["cursor"] == {"0": 151}
    assert "going back to the one before" in err
    code, out, _ = run("checkpoints", "verify", *where)
    fine = [line for line in out.splitlines() if line.startswith("fine")]
    assert len(fine) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--state", "memory://x"), "'driftline checkpoints key FILE'"),
        (
            ("--state", "memory://x", "--key-file", "none"),
            "make it with 'driftline checkpoints",
        ),
        (("--state", "nowhere://x", "--key-file", "shared.key"), "Protocol not known: nowhere"),
        (("--state", "sftp://me:hush@h/x", "--key-file", "shared.key"), "needs a package"),
    ],
)
def test_what_a_store_lacks_is_said_in_one_sentence(stored, words, sentence):
    """A key, or the package of a protocol: exit code 2, what to do, and no password."""
    run, _ = stored
    code, _, err = run(*LEARN, "--name", "other", *words)
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert "hush" not in err


def test_another_version_is_taken_when_it_is_asked_for(stored, monkeypatch):
    """Without --accept-versions it is refused in a sentence that names it."""
    run, where = stored
    for room in ("checkpoint", "loading", "signed"):
        monkeypatch.setattr(f"learner.{room}.versions", lambda: {"python": "4.0"})
    code, _, err = run(*LEARN, *where)
    assert code == 1
    assert "--accept-versions" in err
    assert "--rebuild" in err
    code, _, err = run(*LEARN, *where, "--accept-versions")
    assert code == 0
    assert "its 8 probes are guessed alike: taken" in err
