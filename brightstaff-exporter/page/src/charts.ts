/** What the charts show. */
import { Chart, type Line } from './chart';
import { decimal, duration, quantileText, rate } from './format';
import type { History, Span } from './history';
import type { Labels } from './exposition';
import { CALLS, CALLS_IN_FLIGHT, FIRST_TOKEN, HTTP_IN_FLIGHT, HTTP_REQUESTS, TOKENS } from './names';
import { quantile } from './quantile';

/** Over how long a point of a rate and one of a quantile is taken, in seconds. */
const RATE_SECONDS = 10;
const QUANTILE_SECONDS = 30;

export const PROBES: ReadonlySet<string> = new Set(['healthz', 'readyz']);

const FAULTS = ['timeout', 'connect', 'parse', 'rate_limit', 'status', 'stream', 'cancelled', 'other'];

export class Charts {
  readonly #requests = new Chart('Requests', rate);
  readonly #firstToken = new Chart('Time to first token', duration);
  readonly #tokens = new Chart('Tokens', rate);
  readonly #errors = new Chart('Calls that failed', rate);
  readonly #inFlight = new Chart('In flight', decimal);

  mount(parent: HTMLElement): void {
    parent.append(...[this.#requests, this.#firstToken, this.#tokens, this.#errors, this.#inFlight].map((chart) => chart.node));
  }

  show(history: History, now: number): void {
    const rates = [...history.spans(RATE_SECONDS)];
    const risen = (name: string, colour: string, family: string, of: (labels: Labels) => boolean): Line =>
      line(name, colour, rates, (span) => history.sum(family, span, of) / span.seconds, rate);
    this.#requests.show([
      risen('requests', 'c1', HTTP_REQUESTS, (labels) => !PROBES.has(labels['handler'] ?? '')),
      risen('calls to providers', 'c2', CALLS, () => true),
    ], now);
    this.#tokens.show([
      risen('in', 'c1', TOKENS, (labels) => labels['kind'] === 'prompt'),
      risen('out', 'c2', TOKENS, (labels) => labels['kind'] === 'completion'),
    ], now);
    const span = history.span;
    const faults = FAULTS.filter((fault) => span !== undefined && history.sum(CALLS, span, (labels) => labels['error_class'] === fault) > 0);
    this.#errors.show(faults.map((fault) => risen(fault, `e-${fault}`, CALLS, (labels) => labels['error_class'] === fault)), now);
    this.#firstToken.show([this.#quantile(history, 'p50', 0.5, 'c1'), this.#quantile(history, 'p95', 0.95, 'c2')], now);
    const gauge = (name: string, colour: string, family: string): Line =>
      line(name, colour, rates, (last) => history.all(family).reduce((sum, series) => sum + history.at(series, last), 0), decimal);
    this.#inFlight.show([gauge('requests', 'c1', HTTP_IN_FLIGHT), gauge('calls to providers', 'c2', CALLS_IN_FLIGHT)], now);
  }

  /** A quantile outside the bounds of the buckets has no place in the picture. */
  #quantile(history: History, name: string, q: number, colour: string): Line {
    const taken = [...history.spans(QUANTILE_SECONDS)].map(([time, span]) => [time, span && quantile(q, history.buckets(FIRST_TOKEN, span))] as const);
    return {
      name,
      colour,
      now: quantileText(taken.at(-1)?.[1] ?? { kind: 'none' }),
      points: taken.map(([time, value]) => [time, value?.kind === 'at' ? value.value : NaN]),
    };
  }
}

function line(name: string, colour: string, spans: readonly (readonly [number, Span | undefined])[], value: (span: Span) => number, text: (value: number) => string): Line {
  const points = spans.map(([time, span]) => [time, span === undefined ? NaN : value(span)] as const);
  return { name, colour, now: text(points.at(-1)?.[1] ?? NaN), points };
}
