// Figures and states in words a person can read.
import { NAMES, OF_NUMBERS } from "./names.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const QUIET = 10; // s without news after which a stream is not live any more

export function count(value) {
  return value === null || value === undefined ? "–" : whole.format(value);
}

export function percent(value) {
  return value === null || value === undefined ? "–" : `${(100 * value).toFixed(2)}\u00a0%`;
}

export function decimal(value) {
  if (value === null || value === undefined) return "–";
  if (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  return value < 2 ** 20 ? `${decimal(value / 2 ** 10)} KiB` : `${decimal(value / 2 ** 20)} MiB`;
}

export function ago(seconds) {
  if (seconds === null || !(seconds >= 0)) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
}

/** The name of a line or baseline, as the task has it. */
export function named(key, task) {
  return (task === "regression" && OF_NUMBERS[key]) || (NAMES[key] ?? key);
}

/** A figure of this name, in its own unit. */
export function figure(key, value) {
  return key === "accuracy" || key === "anomalies" ? percent(value) : decimal(value);
}

/** How a score of the task is written, baselines included. */
export function score(task, value) {
  return task === "regression" || task === "anomaly" ? decimal(value) : percent(value);
}

/** How the model does, in a sentence. */
export function verdict(state) {
  const { figures, windows } = state;
  const found = figures.windows[windows[0]];
  if (!figures.scored || !found) return figures.samples ? "No guess has been scored yet" : "No outcomes yet";
  const over = `the last ${count(Math.min(windows[0] * state.parts.length, figures.scored))}`;
  if (figures.task === "anomaly" && !state.detailed) return `The scores of ${over} are being worked out`;
  if (figures.task === "anomaly") {
    const auc = found.roc_auc === undefined ? "" : `, ROC AUC ${decimal(found.roc_auc)}`;
    return `Anomalies score ${decimal(found.anomaly_score)}, others ${decimal(found.normal_score)}, over ${over}${auc}`;
  }
  const numbers = figures.task === "regression";
  const [mine, base] = [numbers ? found.mae : found.accuracy, found.baselines ?? {}];
  if (mine === undefined) return `No guess of ${over} was a finite number`;
  const lead = numbers ? `Off by ${decimal(mine)} on average over ${over}` : `${percent(mine)} right over ${over}`;
  return `${lead}: ${compared(mine, base, numbers, figures.task)}`;
}

function compared(mine, base, numbers, task) {
  const better = (name) => (numbers ? mine < base[name] : mine > base[name]);
  const losing = ["majority", "no_change"].filter((name) => base[name] !== undefined && !better(name));
  if (losing.length === 0) return "better than both baselines";
  const [name] = losing;
  const said = named(name, task).toLowerCase();
  return `${mine === base[name] ? "no better" : "worse"} than ${name === "majority" ? "the " : ""}${said} (${score(task, base[name])})`;
}

/** Whether the stream moves, in a sentence, and whether that is bad. */
export function status(state, now) {
  const { figures, learner, stream, parts } = state;
  if (!state.caught_up || figures.samples === 0)
    return { says: `Empty: learner ${learner} of stream ${stream} has written nothing yet. Waiting for it.`, bad: false };
  if (parts.some((part) => part.paused))
    return { says: "Paused: the learner has stopped, because most of the records are refused. See the dead letters.", bad: true };
  const age = now - state.seen_at;
  const lag = figures.lag ?? 0;
  if (age > QUIET)
    return lag
      ? { says: `Stalled: ${count(lag)} samples wait, and nothing has been learned for ${ago(age).replace(" ago", "")}.`, bad: true }
      : { says: `Quiet: all that the stream holds is learned; the last news came ${ago(age)}.`, bad: false };
  const behind = lag ? `${count(lag)} behind` : "nothing behind";
  return { says: `Live: ${count(state.rate)} samples a second, ${behind}.`, bad: false };
}
