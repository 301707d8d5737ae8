"""River's data sets that do not come with it are fetched once, into River's cache."""

import csv
import http.server
import io
import socket
import threading
import warnings
import zipfile
from functools import partial

import pytest
from river import datasets

from producer.feed import Feed
from producer.sources import downloads, river
from producer.sources.table import open_source
from stream.errors import SettingError

SIZE = 3_091_689


def electricity(rows=500):
    """Return a file like that of Elec2, of the size that River expects."""
    names = "date,day,period,nswprice,nswdemand,vicprice,vicdemand,transfer,class"
    lines = [
        f"0.{n},{n % 7},0.5,0.1,0.2,0.3,0.4,0.5,{'UP' if n % 3 else 'DOWN'}"
        for n in range(rows)
    ]
    text = "\n".join([names, *lines, ""])
    # The missing bytes are zeros behind the points of the first values.
    more, left = divmod(SIZE - len(text), rows)
    lines = [
        line.replace(",0.5,0.1", ",0.5" + "0" * (more + (n < left)) + ",0.1")
        for n, line in enumerate(lines)
    ]
    return "\n".join([names, *lines, ""]).encode()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give River a cache of its own, which is not there yet."""
    monkeypatch.setenv("RIVER_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def host(monkeypatch):
    """Give a function that serves bytes, at an address that Elec2 is then fetched from."""
    servers, served = [], []

    def host(data, *, status=200, length=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                served.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(length or len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        move(f"http://127.0.0.1:{server.server_port}/electricity.zip")
        return served

    def move(url):
        made = datasets.Elec2.__init__

        def moved(self):
            made(self)
            self.url = url

        monkeypatch.setattr(datasets.Elec2, "__init__", moved)

    host.move = move
    yield host
    for server in servers:
        server.shutdown()
        server.server_close()


def zipped(data, name="electricity.csv"):
    """Return an archive of one file."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return sink.getvalue()


def refusal():
    """Return the sentence with which Elec2 is refused."""
    with pytest.raises(SettingError) as caught:
        open_source("river:Elec2")
    said = str(caught.value)
    assert "\n" not in said
    assert not said.endswith(".")
    return said


def test_a_set_in_the_cache_is_read_as_river_reads_it(cache):
    """No network is asked, and the rows are River's own."""
    (cache / "Elec2").mkdir(parents=True)
    (cache / "Elec2" / "electricity.csv").write_bytes(electricity())

    feed = Feed(open_source("river:Elec2"))

    assert [(row.x, row.y) for row in feed.read()] == list(datasets.Elec2())
    assert feed.schema.classes == [False, True]


def test_a_set_is_fetched_once_and_it_is_said_with_its_size(cache, host, caplog):
    """The file lies where River keeps it; a second time nothing is asked."""
    served = host(zipped(electricity()))

    for _ in range(2):
        feed = Feed(open_source("river:Elec2"))

    assert [(row.x, row.y) for row in feed.read()] == list(datasets.Elec2())
    assert served == ["/electricity.zip"]
    assert [path.name for path in (cache / "Elec2").iterdir()] == ["electricity.csv"]
    (line,) = caplog.messages
    assert line.startswith("river:Elec2 is fetched once, 3.1 MB, from http://127.0.0.1:")
    assert str(cache) in line


def test_without_a_network_one_sentence_says_what_to_do(cache, host):
    """What, why, where from, and where a file could be put."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host.move(f"http://127.0.0.1:{taken.getsockname()[1]}/electricity.zip")

        said = refusal()

    assert "river:Elec2 has to be fetched from http://127.0.0.1:" in said
    assert "Connection refused" in said
    assert "try again with a network, or put the unpacked file where River looks" in said
    assert repr(str(cache / "Elec2" / "electricity.csv")) in said


@pytest.mark.parametrize(
    ("data", "how", "said"),
    [
        (b"gone", {"status": 404}, "which failed (Not Found)"),
        (b"<html>", {}, "which failed (File is not a zip file)"),
        (zipped(electricity())[:5000], {}, "which failed ("),
        (zipped(electricity()), {"length": 10**6}, ""),
        (zipped(b"date,class\n1,UP\n"), {}, "in another size than 3,091,689 bytes"),
        (zipped(electricity(), "other.csv"), {}, "in another size than"),
    ],
)
def test_a_download_that_goes_wrong_leaves_nothing_behind(cache, host, data, how, said):
    """It is one sentence, and the next try begins anew."""
    host(data, **how)
    if how.get("length"):
        # The connection closes early; what came may be whole all the same.
        assert Feed(open_source("river:Elec2")).schema.rows == 500
        return

    assert said in refusal()

    assert not (cache / "Elec2").exists()
    host(zipped(electricity()))
    assert open_source("river:Elec2").rows_known == 45_312


def test_a_silent_host_is_given_up(cache, host, monkeypatch):
    """River waits for ever; driftline does not, and leaves the default as it was."""
    monkeypatch.setattr(downloads, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host.move(f"http://127.0.0.1:{silent.getsockname()[1]}/electricity.zip")

        assert "timed out" in refusal()

    assert socket.getdefaulttimeout() is None


def test_a_file_in_the_cache_that_is_another_is_named(cache):
    """Of the right size, and yet not what River knows."""
    (cache / "Elec2").mkdir(parents=True)
    (cache / "Elec2" / "electricity.csv").write_bytes(
        b"a,b\n" + b"1,2\n" * (SIZE // 4 - 1) + b"\n"
    )
    assert datasets.Elec2().is_downloaded

    with pytest.raises(SettingError, match=r"electricity.csv' is not the file River knows"):
        Feed(open_source("river:Elec2"))


def test_a_pass_that_is_left_early_leaves_no_file_open(cache):
    """River closes its files at their end only."""
    (cache / "Elec2").mkdir(parents=True)
    (cache / "Elec2" / "electricity.csv").write_bytes(electricity())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = open_source("river:Elec2").rows()
        next(rows)
        rows.close()


def test_every_set_of_river_with_one_label_can_be_named():
    """None is missing from the list, and those with several labels are not in it."""
    kinds = [getattr(datasets, name) for name in datasets.__all__]
    made = [kind() for kind in kinds if isinstance(kind, type)]
    single = {type(it).__name__ for it in made if not it.task.startswith("Multi-output")}

    assert {each.name for each in river.listed()} == {f"river:{name}" for name in single}
    assert len(river.remote()) >= 16


def test_a_variant_of_a_set_can_be_chosen(cache, request):
    """Its numbers, which River leaves as texts, are numbers; its classes are found."""
    kind = datasets.Insects(variant="gradual_balanced")
    lines = [",".join(f"{n}.{i}" for i in range(33)) + f",wasp-{n % 3}" for n in range(200)]
    text = "\n".join(lines) + "\n"
    short = kind.size - len(text)
    # The last value of the first row is as long as the file is too short.
    lines[0] = lines[0].replace("0.32,", "0.32" + "0" * short + ",")
    kind.path.parent.mkdir(parents=True)
    kind.path.write_text("\n".join(lines) + "\n")
    request.addfinalizer(partial(csv.field_size_limit, csv.field_size_limit(2 * kind.size)))

    feed = Feed(open_source("river:Insects(variant='gradual_balanced')"))
    rows = list(feed.read())

    assert len(rows) == 200
    assert [row.x["f2"] for row in rows] == [n + 0.1 for n in range(200)]
    assert feed.schema.classes == ["wasp-0", "wasp-1", "wasp-2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Insects(varant='x')", "has no parameter 'varant'; did you mean 'variant'?"),
        ("Insects(variant='x')", "does not take {'variant': 'x'}: Unknown variant"),
        ("Insects('x')", "must read like river:Insects or river:Insects(variant="),
        ("MovieLens100K(unpack_user_and_item=True)", "no parameter 'unpack_user_and_item'"),
        ("Phishing(seed=1)", "river:Phishing has no parameter 'seed'; it has none"),
        ("WebTraffic", "several labels a sample"),
    ],
)
def test_a_wrong_parameter_is_one_sentence(cache, text, said):
    """And nothing is fetched."""
    with pytest.raises(SettingError) as caught:
        open_source(f"river:{text}")

    assert said in str(caught.value)
    assert not cache.exists()
