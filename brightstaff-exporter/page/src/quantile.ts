/** Quantiles of histograms, without a claim that their buckets cannot bear. */

/** Cumulative counts by upper bound, in rising order, `Infinity` last. */
export type Buckets = readonly (readonly [bound: number, count: number])[];

/** Where a quantile is: at a value, or only known to be below the first bound, or above the last. */
export type Quantile =
  | { readonly kind: 'none' }
  | { readonly kind: 'at' | 'below' | 'above'; readonly value: number };

/** By linear interpolation inside a bucket, as `histogram_quantile` does it. */
export function quantile(q: number, buckets: Buckets): Quantile {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (!(total > 0)) return { kind: 'none' };
  const rank = q * total;
  const index = buckets.findIndex(([, count]) => count >= rank);
  const [bound, count] = buckets[index] as readonly [number, number];
  const before = buckets[index - 1];
  if (bound === Infinity) {
    return before === undefined ? { kind: 'none' } : { kind: 'above', value: before[0] };
  }
  if (before === undefined) return { kind: 'below', value: bound };
  const share = (rank - before[1]) / (count - before[1]);
  return { kind: 'at', value: before[0] + (bound - before[0]) * share };
}

/** What a quantile is sorted by. */
export const measured = (of: Quantile): number => (of.kind === 'none' ? NaN : of.value);
