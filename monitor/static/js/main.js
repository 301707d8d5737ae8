// The page: what comes from the monitor, and where it is shown.
import { by, make, say, when } from "./dom.js";
import { chooses, draw, tell } from "./chart.js";
import { Feed } from "./feed.js";
import { tables } from "./tables.js";
import { count, named, score, status, verdict } from "./words.js";

const SPOKEN = 30_000; // ms between two words to a screen reader, unless something happens
let said = { at: 0, of: "" };

const feed = new Feed(new URLSearchParams(location.search).get("learner"), { changed: show, lost });

function show() {
  const { state } = feed;
  by("lost").hidden = true;
  document.body.classList.remove("stale");
  say(by("stream"), `stream ${state.stream}, learner ${state.learner}`);
  document.title = `${state.learner} · ${state.stream} · driftline`;
  learners(state);
  windows(state);
  say(by("verdict"), verdict(state));
  tiles(state);
  redraw();
  tick();
}

function redraw() {
  if (!feed.state) return;
  if (feed.history) {
    draw(feed.history, feed.state);
    tell(feed.history.story);
  }
  tables(feed.state, feed.now());
}

/** What depends on the hour. */
function tick() {
  if (!feed.state || !by("lost").hidden) return;
  const { says, bad } = status(feed.state, feed.now());
  say(by("status"), says);
  by("status").classList.toggle("bad", bad);
  speak(says);
}

function speak(says) {
  const of = `${says.split(":")[0]} ${feed.state.figures.drifts}`;
  if (of === said.of && Date.now() - said.at < SPOKEN) return;
  said = { at: Date.now(), of };
  say(by("spoken"), `${verdict(feed.state)}. ${says}`);
}

function lost() {
  const at = feed.state ? ` What is shown is as it was at ${new Date().toLocaleTimeString("en-GB")}.` : "";
  if (by("lost").hidden) say(by("lost"), `Connection lost: the monitor does not answer.${at} Trying again.`);
  by("lost").hidden = false;
  document.body.classList.add("stale");
  say(by("status"), "");
  if (!feed.state) say(by("verdict"), "No answer yet");
}

function learners({ learners: names, learner }) {
  by("learners").hidden = names.length < 2;
  when(by("learners"), [names, learner], () =>
    by("learners").replaceChildren(
      ...names.map((name) => make("a", { href: `/?learner=${encodeURIComponent(name)}`, "aria-current": name === learner ? "page" : null }, name)),
    ),
  );
}

function windows({ figures, windows: rolling }) {
  const names = Object.keys(figures.windows).filter((name) => name !== "fading");
  when(by("window"), names, () => {
    by("window").replaceChildren(...names.map((name) => make("option", { value: name }, name === "all" ? "everything" : `the last ${count(Number(name))}`)));
    by("window").value = rolling.at(-1);
  });
}

function tiles(state) {
  const { figures } = state;
  const found = figures.windows[state.windows[0]] ?? {};
  const base = Object.entries(found.baselines ?? {}).sort().map(([name, value]) => [name, named(name, figures.task), value, score(figures.task, value)]);
  const mine = figures.task === "regression" ? "mae" : figures.task === "anomaly" ? "roc_auc" : "accuracy";
  const late = feed.history?.story.findLast((event) => event.delay !== null)?.delay;
  const all = [
    [mine, named(mine, figures.task), found[mine], score(figures.task, found[mine])],
    ...base,
    ["rate", "Samples/s", state.rate, count(state.rate)],
    ["lag", "Behind", figures.lag, count(figures.lag)],
    ["samples", "Samples", figures.samples, count(figures.samples)],
    ["marks", "True drifts", figures.marks, count(figures.marks)],
    ["drifts", "Drifts detected", figures.drifts, count(figures.drifts)],
    ["delay", "Last delay", late, count(late)],
    ["dead", "Dead letters", figures.dead, count(figures.dead)],
  ];
  when(by("tiles"), all, () =>
    by("tiles").replaceChildren(
      ...all.map(([key, name, value, text], at) =>
        make("div", { class: at ? null : "first" }, make("dt", {}, name), make("dd", { "data-figure": key, "data-value": value ?? "" }, text)),
      ),
    ),
  );
}

chooses(redraw);
by("window").addEventListener("change", redraw);
setInterval(tick, 1000);
