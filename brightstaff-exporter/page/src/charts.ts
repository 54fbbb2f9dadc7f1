/** What the charts show. */
import { Chart, type Line } from './chart';
import { decimal, duration, quantileText, rate } from './format';
import { type History, type Span, WINDOW_SECONDS } from './history';
import type { Labels } from './exposition';
import { CALLS, CALLS_IN_FLIGHT, FIRST_TOKEN, HTTP_IN_FLIGHT, HTTP_REQUESTS, TOKENS } from './names';
import { quantile } from './quantile';

/** Over how long a point of a rate and one of a quantile is taken, in seconds. */
const RATE_SECONDS = 10;
const QUANTILE_SECONDS = 30;

export const PROBES: ReadonlySet<string> = new Set(['healthz', 'readyz']);

const FAULTS = ['timeout', 'connect', 'parse', 'rate_limit', 'status', 'stream', 'cancelled', 'other'];

/** The points of one line. Each is taken once, when its scrape comes: none changes later. */
class Track {
  readonly #name: string;
  readonly #colour: string;
  readonly #text: (value: number) => string;
  #points: (readonly [time: number, value: number])[] = [];

  constructor(name: string, colour: string, text: (value: number) => string) {
    this.#name = name;
    this.#colour = colour;
    this.#text = text;
  }

  /** Takes the value at the end of this span; `text` says it where a number cannot. */
  take({ to }: Span, value: number, text = this.#text(value)): Line {
    if (to.gap) this.#points.push([to.time, NaN]);
    this.#points.push([to.time, value]);
    const first = this.#points.findIndex(([time]) => time > to.time - WINDOW_SECONDS);
    if (first > 0) this.#points = this.#points.slice(first);
    return { name: this.#name, colour: this.#colour, now: text, points: this.#points };
  }
}

export class Charts {
  readonly #requests = new Chart('Requests', rate);
  readonly #firstToken = new Chart('Time to first token', duration);
  readonly #tokens = new Chart('Tokens', rate);
  readonly #errors = new Chart('Calls that failed', rate);
  readonly #inFlight = new Chart('In flight', decimal);
  readonly #tracks = new Map<string, Track>();

  mount(parent: HTMLElement): void {
    parent.append(...[this.#requests, this.#firstToken, this.#tokens, this.#errors, this.#inFlight].map((chart) => chart.node));
  }

  /** Shows the scrape that came last. */
  show(history: History): void {
    const span = history.recent(RATE_SECONDS);
    if (span === undefined) return;
    const now = span.to.time;
    const risen = (name: string, colour: string, family: string, of: (labels: Labels) => boolean): Line =>
      this.#track(family, name, colour, rate).take(span, history.sum(family, span, of) / span.seconds);
    const requests = risen('requests', 'c1', HTTP_REQUESTS, (labels) => !PROBES.has(labels['handler'] ?? ''));
    this.#requests.show([requests, risen('calls to providers', 'c2', CALLS, () => true)], now);
    const tokens = (name: string, colour: string, kind: string): Line => risen(name, colour, TOKENS, (labels) => labels['kind'] === kind);
    this.#tokens.show([tokens('in', 'c1', 'prompt'), tokens('out', 'c2', 'completion')], now);
    const faults = FAULTS.map((fault) => risen(fault, `e-${fault}`, CALLS, (labels) => labels['error_class'] === fault));
    this.#errors.show(faults.filter(({ points }) => points.some(([, value]) => value > 0)), now);
    const gauge = (name: string, colour: string, family: string): Line =>
      this.#track(family, name, colour, decimal).take(span, history.all(family).reduce((sum, series) => sum + history.at(series, span), 0));
    this.#inFlight.show([gauge('requests', 'c1', HTTP_IN_FLIGHT), gauge('calls to providers', 'c2', CALLS_IN_FLIGHT)], now);
    this.#quantiles(history, now);
  }

  /** A quantile outside the bounds of the buckets has no place in the picture. */
  #quantiles(history: History, now: number): void {
    const span = history.recent(QUANTILE_SECONDS);
    if (span === undefined) return;
    const buckets = history.buckets(FIRST_TOKEN, span);
    const line = (name: string, q: number, colour: string): Line => {
      const value = quantile(q, buckets);
      return this.#track(FIRST_TOKEN, name, colour, duration).take(span, value.kind === 'at' ? value.value : NaN, quantileText(value));
    };
    this.#firstToken.show([line('p50', 0.5, 'c1'), line('p95', 0.95, 'c2')], now);
  }

  #track(family: string, name: string, colour: string, text: (value: number) => string): Track {
    const key = `${family} ${name}`;
    const track = this.#tracks.get(key) ?? new Track(name, colour, text);
    this.#tracks.set(key, track);
    return track;
  }
}
