"""Sources that other distributions bring."""

import sys

import pytest

from producer.feed import Feed
from producer.replay import Replay, produce
from producer.sources.table import is_named, listings, open_source, unused
from stream.errors import SettingError
from stream.memory import MemoryLog

GOOD = """
from producer.sources.source import Source
from stream.errors import SettingError

def open_count(text, label):
    if not text.isdigit():
        raise SettingError(f"acme:{text} must be a number")
    return Source(
        name=f"acme:{text}",
        rows=lambda: iter([({"n": n}, n % 2) for n in range(int(text))]),
        label=label or "odd",
    )

def fails(text, label):
    return {}["what"]

def lies(text, label):
    return [1, 2, 3]

def dies(text, label):
    def rows():
        yield {"n": 1}, 0
        raise RuntimeError("the host\\nhung up")
    return Source(name="acme", rows=rows, label="odd")

number = 7
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Give a function that installs a distribution with entry points, and a module."""

    def install(name, **points):
        folder = tmp_path / f"{name}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        lines = [f"{scheme} = {where}" for scheme, where in points.items()]
        (folder / "entry_points.txt").write_text(
            "[driftline.sources]\n" + "\n".join(lines) + "\n"
        )
        module = f"{name}_sources"
        (tmp_path / f"{module}.py").write_text(GOOD)
        monkeypatch.delitem(sys.modules, module, raising=False)

    monkeypatch.syspath_prepend(tmp_path)
    return install


def refusal(text):
    """Return the sentence with which a source is refused."""
    with pytest.raises(SettingError) as caught:
        produce(MemoryLog(), Replay(source=text))
    said = str(caught.value)
    assert "\n" not in said
    assert not said.endswith(".")
    return said


def test_a_scheme_of_another_distribution_is_a_source(install, replayed):
    """It is given what stands behind the colon, and the label; it resumes like any other."""
    install("acme", acme="acme_sources:open_count")

    (partition,) = replayed("acme:6")

    assert [m["x"]["n"] for m in partition if "x" in m] == list(range(6))
    assert Feed(open_source("acme:3", label="parity")).schema.label == "parity"
    log = MemoryLog()
    produce(log, Replay(source="acme:6", limit=2))
    last = produce(log, Replay(source="acme:6"))
    assert (last.samples, last.resumed) == (4, 3)
    assert is_named("acme:6")
    assert not is_named("acne:6")
    assert refusal("acme:x") == "acme:x must be a number"


def test_the_list_names_who_brings_it(install):
    """And nothing is imported for that."""
    install("acme", acme="acme_sources:open_count")

    (found,) = [each for each in listings() if each.brought_by]

    assert (found.name, found.brought_by) == ("acme:", "acme 1.2")
    assert "acme_sources" not in sys.modules


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("acme_sources:fails", "is broken: KeyError: 'what'"),
        ("acme_sources:lies", "gave list instead of a producer.sources.source.Source"),
        ("acme_sources:dies", "is broken: RuntimeError: the host hung up"),
        ("acme_sources:number", "is broken: TypeError: 'int' object is not callable"),
        ("acme_sources:missing", "is broken: AttributeError"),
        ("no_such_module:open", "is broken: ModuleNotFoundError: No module named"),
    ],
)
def test_a_broken_one_is_one_sentence_that_names_its_distribution(install, where, said):
    """Whatever its code does, nobody sees a traceback."""
    install("acme", acme=where)

    sentence = refusal("acme:x")

    assert sentence.startswith("the source 'acme' of acme 1.2 ")
    assert said in sentence


def test_a_scheme_of_driftline_s_own_cannot_be_taken(install, replayed):
    """It stays what it was, and the list says so."""
    install(
        "acme", river="acme_sources:fails", synth="acme_sources:fails", A="acme_sources:lies"
    )

    assert len(replayed("river:Phishing")[0]) == 1251
    assert not any(each.brought_by for each in listings())
    said = "\n".join(unused())
    assert "acme 1.2 brings a source 'river', which is not used: driftline has its own" in said
    assert "acme 1.2 brings a source 'A', which is not used: a name is of small" in said


def test_two_of_one_scheme_are_refused(install):
    """Neither is guessed."""
    install("acme", acme="acme_sources:open_count")
    install("apex", acme="apex_sources:open_count")

    said = refusal("acme:3")

    assert "acme 1.2" in said
    assert "apex 1.2" in said
    assert "both bring a source 'acme'; uninstall one of them" in said
