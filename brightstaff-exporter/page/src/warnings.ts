/** What somebody should look at: the conditions of the shipped alerts, over the minutes that the page knows. */
import { PROBES } from './charts';
import { arrange, byId, element, write } from './dom';
import { count, quantileText, share } from './format';
import type { History, Span } from './history';
import { FAILOVER, HTTP_CANCELLED, HTTP_INTERRUPTED, HTTP_REQUESTS, OVERFLOW } from './names';
import { judged, of, type Pair } from './pairs';

export interface Warning {
  /** What is wrong, without its figures: it stays the same while the trouble does. */
  readonly title: string;
  readonly detail: string;
  readonly critical: boolean;
}

/** A share of fewer says nothing. */
const MIN_COUNT = 10;

/** Those of the alerts, by name. */
const LIMITS = { http: 0.072, upstream: 0.144, rateLimited: 0.05, refused: 0.1, exhausted: 0.02, usageMissing: 0.05, firstTokenSeconds: 5 };

export function warnings(history: History, span: Span, pairs: readonly Pair[]): Warning[] {
  return [...ofHttp(history, span), ...ofProviders(pairs), ...slow(pairs), ...exhausted(history, span), ...overflow(history, span)];
}

function ofHttp(history: History, span: Span): Warning[] {
  const requests = history.sum(HTTP_REQUESTS, span, (labels) => !PROBES.has(labels['handler'] ?? ''));
  const failed = history.sum(HTTP_REQUESTS, span, (labels) => labels['status_class'] === '5xx' && !PROBES.has(labels['handler'] ?? ''));
  // A client that leaves before the headers is counted as "error", too, and is no failure.
  const without = history.sum(HTTP_REQUESTS, span, (labels) => labels['status_class'] === 'error') - history.sum(HTTP_CANCELLED, span, (labels) => labels['phase'] === 'headers');
  const faults = failed + Math.max(0, without) + history.sum(HTTP_INTERRUPTED, span);
  return over(faults, requests, LIMITS.http)
    ? [{ title: 'Requests fail', detail: `${share(faults, requests)} got a 5xx, no response, or one that broke off`, critical: true }]
    : [];
}

function ofProviders(pairs: readonly Pair[]): Warning[] {
  const providers = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const known = providers.get(pair.provider);
    if (known === undefined) providers.set(pair.provider, [pair]);
    else known.push(pair);
  }
  return [...providers].flatMap(([provider, its]) => ofProvider(provider, its));
}

function ofProvider(provider: string, pairs: readonly Pair[]): Warning[] {
  const sum = (value: (pair: Pair) => number): number => pairs.reduce((total, pair) => total + value(pair), 0);
  const [calls, limited, refused] = [sum(judged), sum((pair) => of(pair, 'rate_limit')), sum((pair) => pair.refused4xx)];
  const faults = calls - sum((pair) => of(pair, 'none')) - limited - refused;
  const [good, missing] = [sum((pair) => pair.succeeded2xx), sum((pair) => pair.usageMissing)];
  const found: Warning[] = [];
  const add = (title: string, detail: string, critical = false): number => found.push({ title: `${provider}: ${title}`, detail, critical });
  if (over(faults, calls, LIMITS.upstream)) {
    const classes = ['timeout', 'connect', 'parse', 'status', 'stream', 'other'].map((fault) => [fault, sum((pair) => of(pair, fault))] as const);
    const told = classes.filter(([, value]) => value > 0).map(([fault, value]) => `${fault} ${count(value)}`);
    add('calls fail', `${share(faults, calls)} of ${count(calls)} (${told.join(', ')})`, true);
  }
  if (over(limited, calls, LIMITS.rateLimited)) add('calls are refused for their rate', `${share(limited, calls)} got a 429`);
  if (over(refused, calls, LIMITS.refused)) add('calls are refused', `${share(refused, calls)} got another 4xx: a key, a model or a request is wrong`);
  if (over(missing, good, LIMITS.usageMissing)) add('token counts are incomplete', `${share(missing, good)} of the 2xx calls ended without their usage`);
  if (calls > 0 && pairs.every((pair) => pair.total === 0 || pair.model === 'other' || pair.model === 'unknown')) {
    add('no model is known', 'its calls name none, or none of them has succeeded yet');
  }
  return found;
}

function slow(pairs: readonly Pair[]): Warning[] {
  return pairs
    .filter(({ p95 }) => (p95.kind === 'at' || p95.kind === 'above') && p95.value > LIMITS.firstTokenSeconds)
    .map(({ provider, model, p95 }) => ({ title: `${provider} ${model}: the first token comes late`, detail: `p95 ${quantileText(p95)}`, critical: false }));
}

function exhausted(history: History, span: Span): Warning[] {
  const routes = new Set(history.all(FAILOVER).map((series) => series.labels['route'] ?? ''));
  return [...routes].flatMap((route) => {
    const all = history.sum(FAILOVER, span, (labels) => labels['route'] === route);
    const none = history.sum(FAILOVER, span, (labels) => labels['route'] === route && labels['outcome'] === 'exhausted');
    return over(none, all, LIMITS.exhausted) ? [{ title: `Route ${route}: every candidate failed`, detail: `${share(none, all)} of ${count(all)} requests`, critical: false }] : [];
  });
}

function overflow(history: History, span: Span): Warning[] {
  return history.all(OVERFLOW).flatMap((series) => {
    const ever = history.latest(series) ?? 0;
    if (ever <= 0) return [];
    const detail = `${count(ever)} records since the start, ${count(history.rise(series, span))} within the time shown`;
    return [{ title: `Series are folded into "other" (${series.labels['label'] ?? ''})`, detail, critical: false }];
  });
}

const over = (part: number, whole: number, limit: number): boolean => whole >= MIN_COUNT && part / whole > limit;

/** The list, and what is read aloud: only what is new, or over. */
export class Strip {
  readonly #list = byId('warnings');
  readonly #aloud = byId('aloud');
  readonly #lines = new Map<string, { item: HTMLElement; detail: HTMLElement }>();

  show(found: readonly Warning[]): void {
    const fresh = found.filter(({ title }) => !this.#lines.has(title)).map(({ title }) => title);
    const over = [...this.#lines.keys()].filter((title) => !found.some((warning) => warning.title === title));
    for (const title of over) this.#lines.delete(title);
    const items = found.map((warning) => {
      const line = this.#lines.get(warning.title) ?? this.#line(warning);
      write(line.detail, warning.detail);
      return line.item;
    });
    arrange(this.#list, items);
    this.#list.hidden = items.length === 0;
    if (fresh.length > 0 || over.length > 0) this.say([...fresh, ...over.map((title) => `Over: ${title}`)].join('. '));
  }

  say(text: string): void {
    write(this.#aloud, text);
  }

  #line({ title, critical }: Warning): { item: HTMLElement; detail: HTMLElement } {
    const detail = element('span');
    const item = element('li', critical ? { class: 'critical' } : {}, element('b', {}, title), ' ', detail);
    const line = { item, detail };
    this.#lines.set(title, line);
    return line;
  }
}
