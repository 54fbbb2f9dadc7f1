/** Providers and models. */
import type { Labels } from './exposition';
import { count, decimal, NOTHING, quantileText, share } from './format';
import { added, type History, type Span } from './history';
import { CALLS, FIRST_TOKEN, PER_TOKEN, TOKENS, USAGE_MISSING } from './names';
import { measured, quantile, type Quantile } from './quantile';
import { Table } from './table';

/** What one pair did within the window. */
export interface Pair {
  readonly provider: string;
  readonly model: string;
  /** Calls by class, those that the gateway gave up included. */
  readonly calls: Map<string, number>;
  readonly seconds: number;
  total: number;
  succeeded2xx: number;
  refused4xx: number;
  tokensIn: number;
  tokensOut: number;
  usageMissing: number;
  perTokenSum: number;
  perTokenCount: number;
  readonly firstToken: [string, number][];
  p50: Quantile;
  p95: Quantile;
}

export const of = (pair: Pair, fault: string): number => pair.calls.get(fault) ?? 0;

/** Calls of which the gateway waited for the end. */
export const judged = (pair: Pair): number => pair.total - of(pair, 'cancelled');

/** All pairs that have series. */
export function pairs(history: History, span: Span): Pair[] {
  const found = new Map<string, Pair>();
  const each = (family: string, take: (pair: Pair, labels: Labels, rise: number) => void): void => {
    for (const series of history.all(family)) {
      const { provider = '', model = '' } = series.labels;
      const key = JSON.stringify([provider, model]);
      let pair = found.get(key);
      if (pair === undefined) found.set(key, (pair = empty(provider, model, span.seconds)));
      take(pair, series.labels, history.rise(series, span));
    }
  };
  each(CALLS, (pair, labels, rise) => {
    const fault = labels['error_class'] ?? '';
    pair.calls.set(fault, of(pair, fault) + rise);
    pair.total += rise;
    if (labels['status_class'] === '2xx') pair.succeeded2xx += rise;
    if (labels['status_class'] === '4xx' && fault === 'status') pair.refused4xx += rise;
  });
  each(TOKENS, (pair, labels, rise) => {
    if (labels['kind'] === 'prompt') pair.tokensIn += rise;
    else pair.tokensOut += rise;
  });
  each(USAGE_MISSING, (pair, labels, rise) => {
    if (labels['reason'] !== 'interrupted') pair.usageMissing += rise;
  });
  each(`${PER_TOKEN}_sum`, (pair, _, rise) => (pair.perTokenSum += rise));
  each(`${PER_TOKEN}_count`, (pair, _, rise) => (pair.perTokenCount += rise));
  each(`${FIRST_TOKEN}_bucket`, (pair, labels, rise) => pair.firstToken.push([labels['le'] ?? '', rise]));
  for (const pair of found.values()) {
    const buckets = added(pair.firstToken);
    pair.p50 = quantile(0.5, buckets);
    pair.p95 = quantile(0.95, buckets);
  }
  return [...found.values()];
}

export function pairTable(): Table<Pair> {
  const speed = (pair: Pair): number => (pair.perTokenSum > 0 ? pair.perTokenCount / pair.perTokenSum : NaN);
  const good = (pair: Pair): number => of(pair, 'none');
  return new Table<Pair>(
    'Providers and models',
    [
      { title: 'Provider', text: (pair) => pair.provider },
      { title: 'Model', text: (pair) => pair.model },
      { title: 'Calls', hint: 'Calls that ended within the time shown', text: (pair) => count(pair.total), value: (pair) => pair.total },
      { title: 'Calls/s', text: (pair) => decimal(pair.total / pair.seconds), value: (pair) => pair.total },
      {
        title: 'Success',
        hint: 'Of the calls that the gateway did not give up itself',
        text: (pair) => share(good(pair), judged(pair)),
        value: (pair) => (judged(pair) > 0 ? good(pair) / judged(pair) : NaN),
      },
      { title: 'TTFT p50', hint: 'Time to first token of streamed calls, median', text: (pair) => quantileText(pair.p50), value: (pair) => measured(pair.p50) },
      { title: 'TTFT p95', hint: 'Time to first token of streamed calls, 95th percentile', text: (pair) => quantileText(pair.p95), value: (pair) => measured(pair.p95) },
      {
        title: 'Tokens/s',
        hint: 'Output tokens a second of one stream, after the first: 1 / mean time per output token',
        text: (pair) => (Number.isNaN(speed(pair)) ? NOTHING : decimal(speed(pair))),
        value: speed,
      },
      { title: 'Tokens in', text: (pair) => count(pair.tokensIn), value: (pair) => pair.tokensIn },
      { title: 'Tokens out', text: (pair) => count(pair.tokensOut), value: (pair) => pair.tokensOut },
      {
        title: 'No usage',
        hint: 'Share of the 2xx calls whose token usage is missing; interrupted calls are not in this',
        text: (pair) => share(pair.usageMissing, pair.succeeded2xx),
        value: (pair) => (pair.succeeded2xx > 0 ? pair.usageMissing / pair.succeeded2xx : NaN),
      },
    ],
    (pair) => JSON.stringify([pair.provider, pair.model]),
    2,
    2,
  );
}

const NONE: Quantile = { kind: 'none' };

function empty(provider: string, model: string, seconds: number): Pair {
  return {
    provider,
    model,
    seconds,
    calls: new Map(),
    total: 0,
    succeeded2xx: 0,
    refused4xx: 0,
    tokensIn: 0,
    tokensOut: 0,
    usageMissing: 0,
    perTokenSum: 0,
    perTokenCount: 0,
    firstToken: [],
    p50: NONE,
    p95: NONE,
  };
}
