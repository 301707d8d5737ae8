// Draws the curve with its baselines, true drifts, alarms and actions; and says it in words.
import { by, fill, make, say, when } from "./dom.js";
import { EVENTS } from "./names.js";
import { count, figure, named, score } from "./words.js";

const SPOKEN = 5_000; // ms between two descriptions
const ROWS = 40; // rows of the curve as numbers
const DRAWN = { majority: "dashed", no_change: "dotted", normal_score: "dashed" };

let picture = null;
let spoken = 0;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export function draw(history, state) {
  const { curve, story } = cut(history, Number(by("span").value), Number(state.windows[0]) * state.parts.length);
  const task = state.figures.task;
  say(by("curve-says"), says(history.curve, task, state.caught_up ? state.recalled : 1, state.parts.length));
  if (!curve.x.length) {
    clear();
    return;
  }
  picture ??= globalThis.echarts.init(by("curve"), null, { renderer: "canvas" });
  picture.setOption(option(curve, story, task), { replaceMerge: ["series"] });
  if (Date.now() - spoken > SPOKEN) {
    spoken = Date.now();
    by("curve").setAttribute("aria-label", description(curve, story, task));
  }
  numbers(curve, task);
}

/** Leave nothing of a curve that is no more: a learner that was begun anew has none yet. */
function clear() {
  picture?.clear();
  spoken = 0;
  by("curve").setAttribute("aria-label", "No curve yet");
  when(by("curve-table"), [], () => by("curve-table").replaceChildren());
}

export function resize() {
  picture?.resize();
}

/** Only the last so many windows, where that is wanted. */
function cut({ curve, story }, windows, length) {
  if (!windows || !curve.x.length) return { curve, story };
  const from = curve.x.at(-1) - windows * length;
  const first = Math.max(0, curve.x.findIndex((x) => x >= from));
  const lines = Object.fromEntries(Object.entries(curve.lines).map(([name, line]) => [name, line.slice(first)]));
  return { curve: { ...curve, x: curve.x.slice(first), lines }, story: story.filter((event) => event.x >= from) };
}

function says(curve, task, recalled, partitions) {
  const of = partitions > 1 ? ` of each of ${partitions} partitions` : "";
  const reading = recalled < 1 ? ` The past is being read: ${Math.floor(100 * recalled)} %.` : "";
  if (!curve.x.length) return `No curve yet: it begins with the first ${count(curve.every)} scored guesses.${reading}`;
  const what = task === "anomaly" ? "Mean scores" : named(Object.keys(curve.lines)[0], task);
  return `${what} over the last ${count(curve.span)} guesses${of}, a point every ${count(curve.every)}.${reading}`;
}

function description(curve, story, task) {
  const [[name, line]] = Object.entries(curve.lines);
  const [low, high] = ends(line);
  const others = Object.entries(curve.lines).slice(1).map(([key, values]) => `${named(key, task)} ${score(task, values.at(-1))}`);
  const of = (group) => story.filter((event) => event.group === group).length;
  return (
    `${named(name, task)} along ${count(curve.x.at(-1))} scored guesses: now ${score(task, line.at(-1))}, ` +
    `lowest ${score(task, low)}, highest ${score(task, high)}. ${others.join(", ")}. ` +
    `${of("true")} true drifts, ${of("heard")} alarms, ${of("done")} actions.`
  );
}

/** The lowest and the highest known value; null where none is known yet. */
function ends(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? [Math.min(...known), Math.max(...known)] : [null, null];
}

function numbers(curve, task) {
  const table = by("curve-table");
  const step = Math.max(1, Math.ceil(curve.x.length / ROWS));
  const shown = curve.x.map((_, at) => at).filter((at) => (curve.x.length - 1 - at) % step === 0);
  const heads = ["scored", ...Object.keys(curve.lines).map((name) => named(name, task))];
  const rows = shown.map((at) => [count(curve.x[at]), ...Object.values(curve.lines).map((line) => score(task, line[at]))]);
  // By all that they say: the past comes in behind points that stay as many as they were.
  when(table, [heads, rows], () => fill(table, heads, rows, { words: 0 }));
}

function option(curve, story, task) {
  const [text, quiet, line] = [colour("text"), colour("quiet"), colour("line")];
  const axis = { axisLabel: { color: quiet, hideOverlap: true }, axisLine: { lineStyle: { color: line } }, nameTextStyle: { color: quiet } };
  const shares = task !== "regression" && task !== "anomaly";
  const [low] = ends(Object.values(curve.lines).flat());
  const bottom = shares ? Math.max(0, Math.floor(low * 5) / 5) : null;
  const format = (value) => score(task, value);
  return {
    animation: false,
    backgroundColor: "transparent",
    grid: { left: 8, right: 16, top: 36, bottom: 62, containLabel: true },
    legend: { type: "scroll", bottom: 0, itemWidth: 32, data: legend(curve, task), textStyle: { color: text }, pageTextStyle: { color: text }, pageIconColor: text, pageIconInactiveColor: line },
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: colour("ground"), borderColor: line, textStyle: { color: text }, valueFormatter: (value) => (Array.isArray(value) ? format(value[1]) : format(value)) },
    xAxis: { ...axis, type: "value", name: "scored guesses", nameLocation: "middle", nameGap: 26, min: Math.max(0, curve.x[0] - curve.every), max: curve.x.at(-1), splitLine: { show: false }, axisLabel: { color: quiet, hideOverlap: true, formatter: count } },
    yAxis: { ...axis, type: "value", scale: !shares, min: bottom, max: shares ? 1 : null, splitLine: { lineStyle: { color: line } }, axisLabel: { color: quiet, formatter: (value) => (shares ? `${Math.round(100 * value)} %` : figure("", value)) } },
    series: [...lines(curve, story, task), ...points(curve, story, bottom ?? low)],
  };
}

/** Lines are told apart by their dashes, which a dot upon them would hide. */
function legend(curve, task) {
  const drawn = Object.keys(curve.lines).map((name) => ({ name: named(name, task), itemStyle: { opacity: 0 } }));
  return [...drawn, { name: EVENTS.drift }, { name: EVENTS.done }];
}

function lines(curve, story, task) {
  return Object.entries(curve.lines).map(([name, values], at) => ({
    type: "line",
    name: named(name, task),
    data: curve.x.map((x, place) => [x, values[place]]),
    symbol: curve.x.length < 2 ? "circle" : "none",
    color: colour(at ? "quiet" : "model"),
    lineStyle: { width: at ? 1.25 : 2.5, type: DRAWN[name] ?? "solid" },
    z: at ? 2 : 3,
    markLine: at ? undefined : marks(story),
  }));
}

function marks(story) {
  const ink = colour("true");
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: ink, type: "solid", width: 2 },
    label: { color: ink, position: "end", formatter: ({ name }) => name, fontSize: 11 },
    data: story.filter((event) => event.group === "true").map((event) => ({ xAxis: event.x, name: brief(event) })),
  };
}

function brief(event) {
  return event.says.replace("the world changes: ", "").replace(/ drift$/, "").slice(0, 16);
}

/** Alarms lie on the model's line, where they happened, and actions below them. */
function points(curve, story, bottom) {
  const [model] = Object.values(curve.lines);
  const on = (x) => model[Math.max(0, curve.x.findIndex((end) => end >= x))] ?? model.find((value) => value !== null) ?? 0;
  const drawn = (name, symbol, ink, height, chosen) => ({
    type: "line",
    name,
    symbol,
    symbolSize: 11,
    showAllSymbol: true,
    lineStyle: { width: 0 },
    color: colour(ink),
    z: 5,
    tooltip: { show: false },
    data: story.filter(chosen).map((event) => [event.x, height(event.x)]),
  });
  return [
    drawn(EVENTS.drift, "diamond", "heard", on, (event) => event.kind === "drift"),
    drawn(EVENTS.done, "triangle", "done", () => bottom, (event) => event.group === "done"),
  ];
}

export function chooses(redraw) {
  by("span").addEventListener("change", redraw);
  addEventListener("resize", resize);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

/** The events as a list, the newest first. */
export function tell(story) {
  const list = by("story");
  const shown = story.filter((event) => event.kind !== "input-drift" && event.kind !== "guess-drift").slice(-60).reverse();
  when(list, shown, () =>
    list.replaceChildren(
      ...(shown.length ? shown.map(item) : [make("li", {}, "Nothing yet: no drift, no alarm, no action.")]),
    ),
  );
}

function item(event) {
  const late = event.delay === null ? "" : ` (${count(event.delay)} guesses after the true drift)`;
  return make(
    "li",
    { class: event.group },
    make("b", {}, EVENTS[event.kind] ?? EVENTS[event.group]),
    make("span", { class: "where" }, `at ${count(event.x)}`),
    make("br"),
    `${event.says}${late}`,
  );
}
