// Listens to the pictures of one learner, comes back after a loss, and keeps the curve whole.

const SILENT = 12_000; // ms without a word, which comes every 5 s, after which we are cut off
const AGAIN = 1_000; // ms between two tries
const PATIENCE = 12_000; // ms after which a curve that has not come is given up
const KEPT = 500; // events, as many as the monitor keeps

export class Feed {
  constructor(learner, { changed, lost }) {
    this.query = learner ? `?learner=${encodeURIComponent(learner)}` : "";
    this.tell = changed;
    this.lost = lost;
    this.history = null;
    this.state = null;
    this.fetching = null; // the connection for which the curve is being fetched
    this.ahead = 0; // ms by which the monitor's clock is ahead of ours
    this.open();
  }

  /** Return the monitor's hour, in seconds of the epoch. */
  now() {
    return (Date.now() + this.ahead) / 1000;
  }

  open() {
    this.source = new EventSource(`/events${this.query}`);
    this.source.addEventListener("state", (event) => this.heard(JSON.parse(event.data)));
    this.source.addEventListener("beat", (event) => this.heard(JSON.parse(event.data)));
    this.source.onerror = () => this.gone();
    this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.gone(), SILENT);
  }

  gone() {
    clearTimeout(this.timer);
    this.source.close();
    this.source = null; // what still comes of it comes too late
    this.history = null; // another monitor may answer next
    this.lost();
    this.timer = setTimeout(() => this.open(), AGAIN);
  }

  async heard({ now, body }) {
    this.ahead = now * 1000 - Date.now();
    this.wait();
    if (body) this.state = body;
    if (!this.state) return;
    if (!this.fits() && !(await this.fetched())) return;
    if (!this.follows()) return; // what was fetched is older than what has come; more will
    this.merge();
    this.tell();
  }

  /** Fetch the whole curve; false where that is under way, or came to nothing. */
  async fetched() {
    const source = this.source;
    if (this.fetching === source) return false;
    this.fetching = source;
    const history = await this.asked().catch(() => null);
    if (source !== this.source) return false; // lost meanwhile, and another may be fetching
    this.fetching = null;
    if (history === null) return false;
    this.history = history;
    return true;
  }

  async asked() {
    const answer = await fetch(`/api/history${this.query}`, { signal: AbortSignal.timeout(PATIENCE) });
    return answer.ok ? answer.json() : null;
  }

  /** Whether the points that have come are of our lines, and overlap ours or come next. */
  follows() {
    const [old, fresh] = [this.history.curve, this.state.curve];
    const at = fresh.first - old.first;
    return old.every === fresh.every && lines(old) === lines(fresh) && at >= 0 && at <= old.x.length;
  }

  /** Whether what has come since continues all that we have. */
  fits() {
    const [mine, its] = [this.history, this.state];
    if (!mine || mine.recalled < its.recalled || !this.follows()) return false;
    // A partition that catches up moves points further back than those that came.
    const before = mine.curve.x[its.curve.first - mine.curve.first];
    if (before !== undefined && before !== its.curve.x[0]) return false;
    // Of very many events those between may never have come.
    return its.whole || mine.story.some((event) => name(event) === name(its.story[0]));
  }

  /** Put the newest points and events behind those that we have. */
  merge() {
    const [mine, its] = [this.history.curve, this.state.curve];
    // The newest points may have been half of what they are by now.
    const at = its.first - mine.first;
    mine.x.splice(at, Infinity, ...its.x);
    for (const name in its.lines) mine.lines[name].splice(at, Infinity, ...its.lines[name]);
    const known = new Map(this.history.story.map((event) => [name(event), event]));
    for (const event of this.state.story) known.set(name(event), event);
    this.history.story = [...known.values()].slice(-KEPT);
  }
}

function lines(curve) {
  return Object.keys(curve.lines).join();
}

function name(event) {
  return `${event.partition} ${event.offset} ${event.kind} ${event.says}`;
}
