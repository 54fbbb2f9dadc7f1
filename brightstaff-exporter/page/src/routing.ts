/** Routing decisions, sessions and failover. */
import { byId, element } from './dom';
import { count, duration, NOTHING, quantileText, share } from './format';
import type { History, Span } from './history';
import { DECISION_TIME, DECISIONS, FAILOVER, ROUTING, SESSIONS, SKIPS } from './names';
import { measured, quantile, type Quantile } from './quantile';
import { Table } from './table';

interface Decision {
  readonly route: string;
  readonly model: string;
  made: number;
  fallbacks: number;
}

/** What was counted, by what came of it. */
interface Outcome {
  readonly what: string;
  readonly outcome: string;
  readonly count: number;
  readonly share: string;
}

interface Time {
  readonly route: string;
  readonly count: number;
  readonly mean: number;
  readonly p50: Quantile;
  readonly p95: Quantile;
}

export class Routing {
  readonly #section = byId('routing');
  readonly #decisions = new Table<Decision>(
    'Decisions',
    [
      { title: 'Route', text: (row) => row.route },
      { title: 'Model', text: (row) => row.model },
      { title: 'Decisions', text: (row) => count(row.made), value: (row) => row.made },
      { title: 'Fallbacks', hint: 'Decisions that were not for the first candidate tried', text: (row) => share(row.fallbacks, row.made), value: (row) => (row.made > 0 ? row.fallbacks / row.made : NaN) },
    ],
    (row) => JSON.stringify([row.route, row.model]),
    2,
    2,
  );
  readonly #times = new Table<Time>(
    'Decision time',
    [
      { title: 'Route', text: (row) => row.route },
      { title: 'Mean', text: (row) => (row.count > 0 ? duration(row.mean) : NOTHING), value: (row) => row.mean },
      { title: 'p50', text: (row) => quantileText(row.p50), value: (row) => measured(row.p50) },
      { title: 'p95', text: (row) => quantileText(row.p95), value: (row) => measured(row.p95) },
    ],
    (row) => row.route,
    1,
    1,
  );
  readonly #outcomes = new Table<Outcome>(
    'Failover, sessions and the routing service',
    [
      { title: 'What', text: (row) => row.what },
      { title: 'Outcome', text: (row) => row.outcome },
      { title: 'Count', text: (row) => count(row.count), value: (row) => row.count },
      { title: 'Share', text: (row) => row.share, value: (row) => row.count },
    ],
    (row) => JSON.stringify([row.what, row.outcome]),
    0,
    2,
  );

  constructor() {
    this.#section.append(element('div', {}, this.#decisions.node, this.#times.node), element('div', {}, this.#outcomes.node));
  }

  show(history: History, span: Span): void {
    const [decisions, times, outcomes] = [decided(history, span), timed(history, span), counted(history, span)];
    // A library without routing has no series of it, but for zeros.
    this.#section.hidden = decisions.length === 0 && outcomes.every((row) => row.count === 0);
    this.#decisions.show(decisions);
    this.#times.show(times);
    this.#outcomes.show(outcomes);
  }
}

function decided(history: History, span: Span): Decision[] {
  const found = new Map<string, Decision>();
  for (const series of history.all(DECISIONS)) {
    const { route = '', selected_model: model = '', fallback } = series.labels;
    const key = JSON.stringify([route, model]);
    const row = found.get(key) ?? { route, model, made: 0, fallbacks: 0 };
    found.set(key, row);
    const rise = history.rise(series, span);
    row.made += rise;
    if (fallback === 'true') row.fallbacks += rise;
  }
  return [...found.values()];
}

function timed(history: History, span: Span): Time[] {
  return history.all(`${DECISION_TIME}_count`).map((series) => {
    const route = series.labels['route'] ?? '';
    const its = (labels: Readonly<Record<string, string>>): boolean => labels['route'] === route;
    const buckets = history.buckets(DECISION_TIME, span, its);
    const made = history.rise(series, span);
    const mean = history.sum(`${DECISION_TIME}_sum`, span, its) / made;
    return { route, count: made, mean, p50: quantile(0.5, buckets), p95: quantile(0.95, buckets) };
  });
}

function counted(history: History, span: Span): Outcome[] {
  const rows: Outcome[] = [];
  const add = (family: string, what: (labels: Readonly<Record<string, string>>) => string, label = 'outcome'): void => {
    const all = history.all(family).map((series) => ({ what: what(series.labels), outcome: series.labels[label] ?? '', count: history.rise(series, span) }));
    for (const row of all) {
      const whole = all.filter((other) => other.what === row.what).reduce((sum, other) => sum + other.count, 0);
      rows.push({ ...row, share: share(row.count, whole) });
    }
  };
  add(FAILOVER, (labels) => `failover, route ${labels['route'] ?? ''}`);
  add(SKIPS, (labels) => `passed over: ${labels['selected_model'] ?? ''}`, 'reason');
  add(ROUTING, () => 'routing service');
  // Of lookups and stores no whole can be made.
  for (const series of history.all(SESSIONS)) {
    const outcome = series.labels['outcome'] ?? '';
    const lookups = history.sum(SESSIONS, span, ({ outcome }) => outcome === 'hit' || outcome === 'miss' || outcome === 'error');
    const made = history.rise(series, span);
    rows.push({ what: 'sessions', outcome, count: made, share: outcome.startsWith('store') ? NOTHING : share(made, lookups) });
  }
  return rows;
}
