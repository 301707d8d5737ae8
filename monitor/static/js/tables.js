// The tables below the curve.
import { by, fill, make, say, when } from "./dom.js";
import { NAMES } from "./names.js";
import { ago, bytes, count, decimal, figure, named, percent, score } from "./words.js";

/** Fill the table of a section, or hide the section where there is nothing to tell. */
function section(id, of, heads, rows, options) {
  const place = by(id);
  place.hidden = rows.length === 0;
  when(place, [of, heads], () => fill(place.querySelector("table"), heads, rows, options));
}

export function tables(state, now) {
  const { figures } = state;
  const window = by("window").value || state.windows.at(-1);
  const found = figures.windows[window] ?? {};
  by("detailing").hidden = state.detailed || !figures.scored;
  scores(figures, found, window);
  classes(found);
  confusion(found);
  arms(figures);
  section("moved", state.moved, ["Feature", "Before", "Now", "Times", "Last at"], state.moved.map(moved));
  section("dead", state.dead, ["Reason", "Records"], Object.entries(state.dead).map(([reason, n]) => [reason, count(n)]));
  mistakes(state);
  parts(state, now);
}

function scores(figures, found, window) {
  const base = Object.entries(found.baselines ?? {}).map(([name, value]) => [`Baseline: ${named(name, figures.task).toLowerCase()}`, score(figures.task, value)]);
  const all = Object.keys(NAMES).filter((name) => typeof found[name] === "number").map((name) => [named(name, figures.task), figure(name, found[name])]);
  const rows = [...all.slice(0, 1), ...base, ...all.slice(1)];
  section("scores", [window, rows], ["Figure", "Value"], rows);
}

function classes({ classes: found = {} }) {
  const rows = Object.entries(found).map(([name, of]) => [name, percent(of.precision), percent(of.recall), percent(of.f1)]);
  section("classes", rows, ["Class", "Precision", "Recall", "F1"], rows);
}

function confusion({ confusion: found = {} }) {
  const names = [...new Set([...Object.keys(found), ...Object.values(found).flatMap(Object.keys)])];
  const rows = names.map((label) => {
    const all = Object.values(found[label] ?? {}).reduce((sum, n) => sum + n, 0);
    return [label, ...names.map((guess) => heat(found[label]?.[guess] ?? 0, all, label === guess))];
  });
  section("confusion", found, ["Label", ...names], rows);
}

function heat(n, all, right) {
  const cell = make("td", { class: right ? "right" : null }, count(n));
  cell.style.setProperty("--share", all ? n / all : 0);
  return cell;
}

function arms({ arms: found = [], task }) {
  const name = task === "regression" ? "mae" : "accuracy";
  const rows = found.map((arm) => [arm.serving ? `${arm.arm} (serves)` : arm.arm, score(task, arm.fading), score(task, arm[name]), count(arm.scored)]);
  section("arms", rows, ["Model", "Lately", "Since the start", "Scored"], rows);
}

function moved(row) {
  return [row.value === null ? row.feature : `${row.feature}, share of ${row.value}`, row.before, row.after, count(row.times), count(row.x)];
}

const SURE = { regression: ["Error", (it) => decimal(it.error)], anomaly: null };
const TITLES = { regression: "Guesses furthest off, lately", anomaly: "Normal rows that scored highest" };

function mistakes({ mistakes: found, figures }) {
  const numbers = figures.task in SURE;
  const sure = numbers ? SURE[figures.task] : ["Sure of it", (it) => percent(it.p_pred)];
  const write = (value) => (numbers ? decimal(Number(value)) : (value ?? "–"));
  const place = by("mistakes");
  say(place.querySelector("h3"), TITLES[figures.task] ?? "Recent mistakes");
  const rows = (found ?? []).map((it) => [
    it.id,
    write(it.y),
    write(it.y_pred),
    ...(sure ? [sure[1](it)] : []),
    make("td", { class: "word features" }, ...features(it)),
  ]);
  section("mistakes", found ?? [], ["Sample", "Label", "Guess", ...(sure ? [sure[0]] : []), make("th", { scope: "col", class: "word" }, "Features")], rows);
}

function features({ x, looked }) {
  if (!looked) return ["being looked up …"];
  if (x === null) return ["not to be had: the sample is not kept, or in a form only the learner reads"];
  return Object.entries(x).map(([name, value]) =>
    make("span", { class: "feature" }, make("span", {}, `${name} `), typeof value === "number" ? decimal(value) : String(value ?? "missing")),
  );
}

function parts({ parts: found }, now) {
  const rows = found.map((it) => [
    String(it.partition),
    count(it.samples),
    count(it.lag),
    count(it.pending),
    it.checkpoint_time === null ? "–" : ago(now - it.checkpoint_time),
    count(it.checkpoints_refused),
    count(it.checkpoints_failed),
    bytes(it.model_bytes),
    bytes(it.memory_bytes),
  ]);
  section("parts", rows, ["Partition", "Samples", "Lag", "Waiting for a label", "Last checkpoint", "Refused", "Failed", "Model", "Memory of its process"], rows, { words: 0 });
}
