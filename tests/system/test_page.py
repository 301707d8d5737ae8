import csv
import json
import re
import signal
import urllib.request
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from monitor.history import History
from monitor.picture import LATELY
from monitor.tally import Added
from stream.records import Totals
from tests.system.browsing import Visit
from tests.system.lives import eventually
from tools.kafka import free_port

WINDOW = 200
DRIFT = 3000
SOURCE = ("--source", "synth:Sine(seed=42)", "--drift", f"abrupt@{DRIFT}")
EMPTY = History(WINDOW).curve()._asdict()
HOSTILE = "<img src=x onerror=alert(1)>"


class Stream:
    """A stream of a test: its services one after the other, and a monitor beside them."""

    def __init__(self, nursery, folder):
        self.nursery, self.folder = nursery, folder
        self.stream = ("--stream", f"sqlite:{folder / 's.db'}")

    def run(self, *arguments):
        """Run a command to its end and return what it wrote."""
        return self.nursery.run(*arguments, *self.stream, cwd=self.folder).out

    def produce(self, limit, *source):
        """Bring the stream to so many samples."""
        self.run("produce", *(source or SOURCE), "--limit", limit)

    def learn(self, *more):
        """Learn all there is."""
        state = ("--state", self.folder / "state")
        self.run("learn", *(more or ("--model", "hoeffding-tree")), "--until-end", *state)

    @contextmanager
    def monitored(self, *, port=0):
        """Give a monitor at work, and its address."""
        options = ("--port", port, "--window", WINDOW, "--window", 1000)
        monitor = self.nursery.start("monitor", *options, *self.stream, cwd=self.folder)
        try:
            said = monitor.said("Live page: ")
            yield monitor, re.search(r"Live page: (\S+)", said)[1]
        finally:
            monitor.end()


@pytest.fixture
def stream(nursery, tmp_path):
    """Give a stream of a test's own."""
    return Stream(nursery, tmp_path)


@pytest.fixture(scope="module")
def behind(nursery, tmp_path_factory):
    """Give a stream whose learner has left off, a while before anybody asks."""
    stream = Stream(nursery, tmp_path_factory.mktemp("behind"))
    stream.produce(300)
    stream.learn()
    stream.produce(900)
    return stream


@pytest.fixture(scope="module", autouse=True)
def told(behind, nursery, tmp_path_factory):
    """Give a stream that has met a drift, and is learned to its end."""
    stream = Stream(nursery, tmp_path_factory.mktemp("page"))
    stream.produce(6000)
    stream.learn()
    return stream


@pytest.fixture(scope="module")
def page(told):
    """Give the address of a monitor of that stream."""
    with told.monitored() as (_, url):
        yield url


def curve(visit):
    """Return how many points the page's curve has, and how far it goes."""
    return visit.page.evaluate(
        "async () => { const { curve, story } = await (await fetch('/api/history')).json();"
        " return [curve.x.length, curve.x.at(-1) ?? 0, story.map((it) => it.kind)]; }"
    )


def drawn(visit):
    """Return a digest of the picture of the curve, as it is on the screen."""
    return hash(visit.page.locator("#curve canvas").screenshot())


def test_the_page_moves_with_the_stream(stream, visit):
    """First there is nothing; then the curve grows, and a drift is marked as it comes."""
    stream.produce(DRIFT - 500)
    with stream.monitored() as (_, url):
        seen = visit(url)
        seen.says("Empty: learner main of stream local has written nothing yet", "#status")
        stream.learn()
        seen.says("right over the last 200: better than both baselines", "#verdict")
        assert seen.figure("marks") == 0
        assert "drift" not in seen.page.text_content("#story")
        before, still = curve(seen), drawn(seen)

        stream.produce(DRIFT + 1500)
        stream.learn()
        seen.says("True drift", "#story")
        story = seen.says("guesses after the true drift)", "#story")
        assert re.search(r"ADWIN, error 0\.\d+ → 0\.\d+: the model is replaced", story)
        assert seen.figure("marks") == 1
        assert curve(seen)[1] > before[1]
        assert "mark" in curve(seen)[2]
        assert "mark" not in before[2]
        eventually(lambda: drawn(seen) != still)
        assert "1 true drifts" in eventually(
            lambda: (
                "1 true" in (text := seen.page.get_attribute("#curve", "aria-label")) and text
            )
        )
        seen.close()


def test_the_page_is_what_the_outcomes_say(told, page, visit):
    """Figures on the page, figures of /metrics and a plain count of the outcomes are equal."""
    rows = list(csv.DictReader(told.run("outcomes", "--format", "csv").splitlines()))
    right, baselines = [], {"no_change": [], "majority": []}
    seen, last = Counter(), None
    for row in rows:
        if row["flag"] in ("0", "3"):
            right.append(row["flag"] == "0" and row["y"] == row["y_pred"])
            baselines["no_change"].append(row["y"] == last)
            baselines["majority"].append(bool(seen) and row["y"] == seen.most_common(1)[0][0])
        seen[row["y"]] += 1
        last = row["y"]
    plain = {"accuracy": sum(right[-WINDOW:]) / WINDOW}
    plain |= {name: sum(hits[-WINDOW:]) / WINDOW for name, hits in baselines.items()}
    events = [event for row in rows for event in json.loads(row["events"] or "[]")]
    for name, kind in (("marks", "mark"), ("drifts", "drift")):
        plain[name] = sum(event[1] == kind for event in events)
    plain |= {"samples": len(rows), "dead": 0, "lag": 0}

    with urllib.request.urlopen(f"{page}metrics", timeout=10) as answer:
        scraped = answer.read().decode()
    metrics = {
        "accuracy": "prequential_accuracy_ratio"
        f'{{learner="main",stream="local",window="{WINDOW}"}}',
        "samples": 'samples_total{learner="main",partition="0",stream="local"}',
        "drifts": 'drifts_total{learner="main",partition="0",stream="local"}',
        "marks": 'marks_total{learner="main",partition="0",stream="local"}',
        "lag": 'lag_records{learner="main",partition="0",stream="local"}',
    }
    for name in ("no_change", "majority"):
        labels = f'{{baseline="{name}",learner="main",stream="local",window="{WINDOW}"}}'
        metrics[name] = f"baseline_accuracy_ratio{labels}"

    visit_ = visit(page)
    visit_.says("right over the last 200", "#verdict")
    assert {name: visit_.figure(name) for name in plain} == plain
    for name, metric in metrics.items():
        value = re.search(rf"^driftline_{re.escape(metric)} (\S+)$", scraped, re.MULTILINE)
        assert value, metric
        assert float(value[1]) == plain[name], name

    confusion = Counter((r["y"], r["y_pred"]) for r in rows[-1000:])
    classes = sorted({label for label, _ in confusion})
    assert eventually(lambda: visit_.rows("confusion")) == [
        [label, *(str(confusion[label, guess]) for guess in classes)] for label in classes
    ]
    points = visit_.page.evaluate(
        "async () => (await (await fetch('/api/history')).json()).curve"
    )
    for x, value in zip(points["x"], points["lines"]["accuracy"], strict=True):
        window = right[max(0, x - WINDOW) : x]
        assert value == pytest.approx(sum(window) / len(window), rel=1e-5)
    wrong = [row["id"] for row in rows if row["y"] != row["y_pred"]]
    shown = [row[0] for row in eventually(lambda: visit_.rows("mistakes"))]
    assert shown == wrong[::-1][: len(shown)]


MERGED = """async (pictures) => {
    const { Feed } = await import("/static/js/feed.js");
    let [at, fetched] = [0, 0];
    const rest = { story: [], whole: true, recalled: 1 };
    class Told extends Feed {
        open() {}
        wait() {}
        async fetched() {
            fetched += 1;
            this.history = { ...rest, curve: structuredClone(pictures[at][1]) };
            return true;
        }
    }
    const feed = new Told("", { changed: () => {}, lost: () => {} });
    for (; at < pictures.length; at += 1) {
        const curve = structuredClone(pictures[at][0]);
        await feed.heard({ now: 0, body: { ...rest, curve } });
    }
    return [feed.history.curve, fetched];
}"""
"""Returns the curve that a page has after some pictures, and how often it fetched all of it."""


class Curves:
    """A curve as it grows, and what a page is told of it: the newest points, and all."""

    def __init__(self, before=0):
        self.history, self.pictures = History(WINDOW), []
        self.scored, self.task = Counter({0: before}), None

    def grow(self, partition, errors, task="classification"):
        """Score some rows more of a partition."""
        self.scored[partition] += len(errors)
        totals = Totals(task=task, scored=self.scored[partition])
        nothing = [None] * len(errors)
        added = Added(*[nothing] * 6, errors, errors, errors, None)
        anew, self.task = self.task not in (None, task), task
        tally = {"partition": partition, "first": 0, "totals": totals, "added": [added]}
        self.history.take(SimpleNamespace(**tally, anew=anew), [])
        curve = self.history.curve
        self.pictures.append([curve(LATELY)._asdict(), curve()._asdict()])


def test_a_curve_of_several_partitions_ends_as_the_monitor_has_it(page, visit):
    """However unevenly they come, each point stands once, and as it is in the end."""
    curves = Curves()
    for turn in range(30):
        for partition in range(3):
            curves.grow(partition, [float((turn + row) % 7 == 0) for row in range(330)])
    curve_held, fetched = visit(page).page.evaluate(MERGED, curves.pictures)
    assert curve_held == curves.pictures[-1][1]
    assert fetched < len(curves.pictures) / 10


def test_the_first_values_stand_where_they_belong(page, visit):
    """A page that was open before any were known has them at their points, not at the start."""
    curves = Curves(before=5 * WINDOW)
    for turn in range(20):
        curves.grow(0, [float(turn % 3 == 0)] * 30)
    curve_held, fetched = visit(page).page.evaluate(MERGED, curves.pictures)
    assert curve_held == curves.pictures[-1][1]
    assert fetched == 1


def test_a_learner_of_another_task_has_lines_of_its_own(page, visit):
    """One that was begun anew and now guesses numbers leaves no line of classes behind."""
    curves = Curves()
    curves.grow(0, [0.0] * 2 * WINDOW)
    curves.scored.clear()
    for _ in range(3):
        curves.grow(0, [1.0] * 50, task="regression")
    curve_held, _ = visit(page).page.evaluate(MERGED, curves.pictures)
    assert curve_held == curves.pictures[-1][1]


DRAWN = """async (curves) => {
    const { draw } = await import("/static/js/chart.js");
    const [chart, table] = ["curve", "curve-table"].map((id) => document.getElementById(id));
    const figures = { task: "classification" };
    const state = { windows: ["200"], parts: [{}], figures, caught_up: true, recalled: 1 };
    return curves.map((curve) => {
        draw({ curve, story: [] }, state);
        const { series, yAxis } = globalThis.echarts.init(chart).getOption();
        const rows = [...table.rows].map((row) => [...row.cells].map((it) => it.textContent));
        const bottom = series.length ? yAxis[0].min : null;
        return [bottom, chart.getAttribute("aria-label"), rows.slice(1)];
    });
}"""
"""Draws curves one by one; returns how low each reaches, its description, its numbers."""


def redrawn(seen, *curves):
    """Draw an empty curve and then others where the page has drawn its own."""
    seen.says("right over the last 200", "#verdict")
    return seen.page.evaluate(DRAWN, [EMPTY, *curves])


def test_nothing_of_a_curve_outlives_it(page, visit):
    """A learner that was begun anew has no curve yet: not as a picture, in words or numbers."""
    curves = Curves()
    curves.grow(0, [0.0] * WINDOW)
    none, some, after = redrawn(visit(page), curves.pictures[0][1], EMPTY)
    assert none == after == [None, "No curve yet", []]
    assert some[1].startswith("Accuracy along 200 scored guesses: now 100.00")
    assert some[2][-1][0] == "200"


def test_a_past_that_comes_in_fills_the_curve(page, visit):
    """Before that nothing is drawn or told of it; then numbers replace the dashes."""
    unknown, known = Curves(before=WINDOW - 10), Curves()
    unknown.grow(0, [0.0] * 10)
    known.grow(0, [0.0] * WINDOW)
    pictures = (each.pictures[0][1] for each in (unknown, known))
    _, before, after = redrawn(visit(page), *pictures)
    assert before[0] == 0.0
    assert "now –, lowest –, highest –." in before[1]
    assert [row[1] for row in before[2]] == ["–"] * 20
    assert [row[1] for row in after[2]] == ["100.00\u00a0%"] * 20


HELD = """async (patience) => {
    const { Feed } = await import("/static/js/feed.js");
    const curve = { every: 1, span: 1, first: 0, x: [1], lines: { accuracy: [1] } };
    const body = { curve, story: [], whole: true, recalled: 1 };
    const held = (globalThis.held = { sources: [], answers: [], told: 0 });
    globalThis.EventSource = class extends EventTarget {
        constructor() {
            super();
            held.sources.push(this);
        }
        close() {}
    };
    const [fetch, timeout] = [globalThis.fetch, AbortSignal.timeout.bind(AbortSignal)];
    AbortSignal.timeout = (ms) => timeout(Math.min(ms, patience));
    globalThis.fetch = (url, options) => {
        if (!url.endsWith("?learner=held")) return fetch(url, options); // the page's own feed
        return new Promise((resolve, reject) => {
            options?.signal?.addEventListener("abort", () => reject(options.signal.reason));
            held.answers.push(() => resolve(new Response(JSON.stringify(body))));
        });
    };
    new Feed("held", { changed: () => (held.told += 1), lost: () => {} });
    held.hear = () => {
        const data = JSON.stringify({ now: 0, body });
        held.sources.at(-1).dispatchEvent(new MessageEvent("state", { data }));
    };
}"""
"""Makes a feed that hears, loses its line and is answered when a test says so."""


class Held:
    """A feed in a page that hears, loses its line and is answered when told to."""

    def __init__(self, visit, *, patience=60_000):
        self._page = visit.page
        self._page.evaluate(HELD, patience)

    def hear(self):
        """Let a picture come; return how often the curve has been asked for."""
        return self._page.evaluate("held.hear(), held.answers.length")

    def lose(self):
        """Cut the line."""
        self._page.evaluate("held.sources.at(-1).onerror()")

    def lines(self):
        """Return how many lines have been opened."""
        return self._page.evaluate("held.sources.length")

    def answer(self, at):
        """Answer one of those who asked; return how often the page has then been told."""
        later = "new Promise((resolve) => setTimeout(() => resolve(held.told), 50))"
        return self._page.evaluate(f"held.answers.at({at})(), {later}")


def test_a_curve_that_never_comes_is_no_matter_to_the_next_line(page, visit):
    """Who lost the line asks anew on the next one, and an answer to the old one is too late."""
    feed = Held(visit(page))
    assert [feed.hear(), feed.hear()] == [1, 1]
    feed.lose()
    eventually(lambda: feed.lines() > 1)
    assert [feed.hear(), feed.hear()] == [2, 2]
    assert feed.answer(0) == 0
    assert feed.hear() == 2
    assert feed.answer(1) == 1


def test_a_curve_that_comes_once_the_line_is_lost_is_not_shown(page, visit):
    """What is shown while nobody answers stays what it was, and says so."""
    feed = Held(visit(page))
    feed.hear()
    feed.lose()
    assert feed.answer(0) == 0
    eventually(lambda: feed.lines() > 1)
    assert feed.hear() == 2
    assert feed.answer(1) == 1


def test_a_curve_that_does_not_come_is_given_up(page, visit):
    """After a while it is asked for again, on the same line."""
    feed = Held(visit(page), patience=50)
    assert feed.hear() == 1
    eventually(lambda: feed.hear() > 1)
    eventually(lambda: feed.hear() and feed.answer(-1))


def test_a_page_outlives_its_monitor(told, visit, browser):
    """It says that it is cut off, and shows the same again once there is a monitor."""
    seen = Visit(browser, "about:blank")
    port = free_port()
    shown = "async () => [await (await fetch('/api/history')).json()," + (
        " [...document.querySelectorAll('#tiles dd')].map((it) => it.textContent)]"
    )
    with told.monitored(port=port) as (monitor, url):
        seen.page.goto(url)
        seen.says("Quiet", "#status")
        eventually(lambda: seen.rows("mistakes"))
        before = seen.page.evaluate(shown)
        monitor.end(signal.SIGKILL)
        seen.says("Connection lost: the monitor does not answer.", "#lost")
        assert seen.page.is_visible("#lost")
    with told.monitored(port=port):
        seen.page.wait_for_selector("#lost", state="hidden")
        seen.says("Quiet", "#status")
        eventually(lambda: seen.page.evaluate(shown) == before)
    seen.close()


def test_a_stalled_stream_says_so(behind, visit):
    """Samples wait, and nothing has been learned for a while."""
    with behind.monitored() as (_, url):
        seen = visit(url)
        said = seen.says("Stalled: 600 samples wait, and nothing", "#status")
        assert re.search(r"learned for \d+ (s|min)\.$", said)
        assert seen.figure("lag") == 600
        seen.close()


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)]
)
def test_the_page_is_for_everybody(page, visit, width, dark):
    """axe-core finds nothing, all fits on a phone, and a keyboard reaches everything."""
    seen = visit(page, width=width, height=844, dark=dark)
    seen.says("right over the last 200", "#verdict")
    eventually(lambda: seen.rows("mistakes"))
    seen.page.click("summary")
    assert seen.violations() == []
    assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    reached = set()
    for _ in range(20):
        seen.page.keyboard.press("Tab")
        reached.add(
            seen.page.evaluate(
                "document.activeElement.id || document.activeElement.getAttribute('aria-label')"
                " || document.activeElement.tagName + document.activeElement.className"
            )
        )
    assert {"Askip", "span", "window", "SUMMARY", "Recent mistakes", "Confusion"} <= reached


def test_names_of_strangers_are_only_text(stream, visit):
    """Classes, features and ids that would be markup are shown as they are."""
    path = stream.folder / "odd.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([HOSTILE, "b</script>", "label"])
        for n in range(400):
            label = [HOSTILE, "'\"><svg onload=alert(2)>", "plain", "</td><b>x"][n % 4]
            writer.writerow([n % 7, n % 4 + (n % 5) / 9, label])
    stream.produce(400, "--source", path, "--label", "label")
    stream.learn("--model", "naive-bayes")
    with stream.monitored() as (_, url):
        seen = visit(url)
        seen.says("right over the last 200", "#verdict")
        mistakes = eventually(lambda: seen.rows("mistakes"))
        assert f"{HOSTILE} " in mistakes[0][4]
        assert HOSTILE in eventually(lambda: [row[0] for row in seen.rows("classes")])
        assert [row[0] for row in seen.rows("confusion")].count(HOSTILE) == 1
        assert (
            seen.page.evaluate("document.querySelectorAll('img, svg, main script').length") == 0
        )
        assert seen.violations() == []
        seen.close()


@pytest.mark.parametrize(
    ("source", "model", "verdict", "tile", "rows"),
    [
        ("synth:Friedman(seed=1)", "linear", "Off by ", "Mean absolute error", 6),
        ("synth:AnomalySine", "half-space-trees", "Anomalies score ", "ROC AUC", 6),
    ],
)
def test_other_tasks_have_their_own_words(stream, visit, source, model, verdict, tile, rows):
    """Numbers are off by something, anomalies have scores; both have a curve and examples."""
    stream.produce(1200, "--source", source)
    stream.learn("--model", model)
    with stream.monitored() as (_, url):
        seen = visit(url)
        seen.says(verdict, "#verdict")
        seen.says(tile, "#tiles")
        assert len(eventually(lambda: seen.rows("mistakes"))) == rows
        assert curve(seen)[0] > 50
        assert seen.page.is_visible("#curve canvas")
        assert seen.violations() == []
        seen.close()


def test_a_report_is_the_same_story(told, visit, tmp_path):
    """Its page shows what the live one shows, and breaks no rule either; its table as well."""
    path = tmp_path / "report.html"
    options = ("--window", WINDOW, "--window", 1000)
    told.run("report", "--output", path, *options)
    lines = list(csv.DictReader(told.run("report", "--format", "csv", *options).splitlines()))
    seen = visit(path.as_uri())
    seen.says("Drift detected")
    seen.says("the model is replaced by a new one")
    assert seen.page.is_visible("#curve svg")
    assert lines[-1]["scored"] == "6000" or int(lines[-1]["scored"]) > 5900
    assert f"{float(lines[-1]['accuracy']):.4g}" in seen.page.text_content("table")
    assert seen.violations() == []
