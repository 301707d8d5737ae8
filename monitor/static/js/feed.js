// Listens to the pictures of one learner, comes back after a loss, and keeps the curve whole.

const SILENT = 12_000; // ms without a word, which comes every 5 s, after which we are cut off
const AGAIN = 1_000; // ms between two tries

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
    this.merge();
    this.tell();
  }

  /** Fetch the whole curve; false where that is under way, or came to nothing. */
  async fetched() {
    if (this.fetching) return false;
    const source = (this.fetching = this.source);
    const answer = await fetch(`/api/history${this.query}`).catch(() => null);
    const history = answer?.ok ? await answer.json().catch(() => null) : null;
    this.fetching = null;
    if (source !== this.source || history === null) return false; // lost meanwhile
    this.history = history;
    return true;
  }

  /** Whether what has come since continues the curve that we have. */
  fits() {
    const [mine, its] = [this.history, this.state];
    if (!mine || mine.recalled < its.recalled || mine.curve.every !== its.curve.every) return false;
    const [end, x] = [mine.curve.x.at(-1), its.curve.x];
    return x.length === 0 ? end === undefined : end !== undefined && x[0] <= end && end <= x.at(-1);
  }

  /** Put the newest points and events behind those that we have. */
  merge() {
    const [mine, its] = [this.history.curve, this.state.curve];
    const fresh = its.x.findIndex((x) => !(x <= mine.x.at(-1)));
    if (fresh >= 0) {
      mine.x.push(...its.x.slice(fresh));
      for (const name in its.lines) (mine.lines[name] ??= []).push(...its.lines[name].slice(fresh));
    }
    const known = new Map(this.history.story.map((event) => [name(event), event]));
    for (const event of this.state.story) known.set(name(event), event);
    this.history.story = [...known.values()];
  }
}

function name(event) {
  return `${event.partition} ${event.offset} ${event.kind} ${event.says}`;
}
