"""What stands in data is never the path of a file, whatever it is made to look like."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from stream.sqlite import SqliteLog

PATHS = (
    "../../evil",
    "/etc/evil",
    "..",
    ".",
    "a/../../b",
    "~/evil",
    "C:\\evil",
    "x\x00y",
    "a/b",
)


def files(folder):
    """Return all there is below a folder."""
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*")}


def test_ids_features_labels_and_marks_name_no_file(run, tmp_path):
    """A learner of such records makes the files it always makes, and answers the same."""
    made = {}
    for kind, names in (("plain", ["a", "b", "c"]), ("hostile", PATHS)):
        work = tmp_path / kind / "deep" / "down"
        work.mkdir(parents=True)
        log = SqliteLog(work / "s.db")
        log.create("local.samples", partitions=1)
        writer = log.writer("stranger")
        for n in range(60):
            name = names[n % len(names)]
            for record in (
                {"id": f"{name}{n}", "x": {name: n % 5}},
                {"id": f"{name}{n}", "y": names[n % 2]},
                {"mark": name, "at": n},
            ):
                writer.append("local.samples", json.dumps(record).encode(), partition=0)
        writer.commit()
        log.close()
        os.chdir(work)
        learn = ("learn", "--stream", "sqlite:s.db", "--until-end", "--json")
        code, out, err = run(*learn, "--model", "naive-bayes", "--answer", "all")
        assert code == 0, err
        assert json.loads(out)["samples"] == 60
        for words in (("outcomes",), ("predictions",), ("dead",)):
            assert run(*words, "--stream", "sqlite:s.db")[0] == 0
        made[kind] = files(tmp_path / kind)

    assert made["plain"] == made["hostile"]


@pytest.mark.parametrize(
    "words",
    [
        ("learn", "--until-end", "--name"),
        ("monitor", "--until-end", "--name"),
        ("learn", "--until-end", "--key-file", "key", "--member"),
        ("learn", "--until-end", "--topic"),
    ],
    ids=lambda words: words[-1],
)
def test_no_name_of_ours_is_a_path(run, tmp_path, words):
    """Learners, members and topics are refused by such names before a file is made."""
    log = SqliteLog("s.db")
    log.create("local.samples", partitions=1)
    log.close()
    there = files(tmp_path)
    for name in PATHS:
        if name in ("..", ".") and words[-1] == "--topic":
            continue  # no slash may stand beside them, and a topic has no file
        code, _, err = run(*words, name, "--stream", "sqlite:s.db")
        assert code == 2
        assert "must be 1 to 40 of" in err or "can be no topic's name" in err
    assert files(tmp_path) == there


@pytest.mark.parametrize("name", ["../../evil.csv", "/evil.csv", "a/../../evil.csv"])
def test_a_member_of_an_archive_is_read_and_never_unpacked(run, tmp_path, name):
    """Whatever it is called, its rows are samples, and no file comes of it."""
    work = tmp_path / "deep" / "down"
    work.mkdir(parents=True)
    with zipfile.ZipFile(work / "a.zip", "w") as archive:
        archive.writestr(name, "a,y\n1,0\n2,1\n")
    os.chdir(work)

    code, out, err = run("produce", "--source", "a.zip", "--label", "y", "--json")

    assert code == 0, err
    assert json.loads(out)["samples"] == 2
    assert not [each for each in files(tmp_path) if "evil" in each]
    assert not Path("/evil.csv").exists()


def test_a_link_in_a_folder_leads_nowhere_else(run, tmp_path):
    """One to a file outside is refused with the way to mean it; one within is followed."""
    secret = tmp_path / "outside.csv"
    secret.write_text("a,y\n1,0\n")
    days = tmp_path / "days"
    days.mkdir()
    (days / "1.csv").write_text("a,y\n1,0\n")
    (days / "2.csv").symlink_to(days / "1.csv")
    produce = ("produce", "--label", "y", "--json", "--source")
    code, out, _ = run(*produce, "days", "--stream", "sqlite:within.db")
    assert (code, json.loads(out)["samples"]) == (0, 2)

    (days / "3.csv").symlink_to(secret)

    code, out, err = run(*produce, "days", "--stream", "sqlite:without.db")
    assert (code, out) == (2, "")
    assert "holds the link '3.csv' to what is outside of it" in err
    code, out, _ = run(*produce, "days/*.csv", "--stream", "sqlite:meant.db")
    assert (code, json.loads(out)["samples"]) == (0, 3)
