/** Five minutes of scrapes: counters made to rise through restarts, whoever answered. */
import { type Labels, labels, number, samples } from './exposition';
import type { Buckets } from './quantile';

/** How far back the page looks, in seconds. */
export const WINDOW_SECONDS = 300;

/** An instance that has not answered for so long is gone, where several answer in turn; in seconds. */
const GONE_SECONDS = 30;

/** How much the clocks here and there may differ before they count as different, in seconds. */
const SKEW_SECONDS = 2;

const START = 'process_start_time_seconds';

export interface Series {
  readonly index: number;
  readonly name: string;
  readonly labels: Labels;
}

/** One process that answers at this address, known by when it started. */
interface Instance {
  readonly started: number | undefined;
  seen: number;
  last: number[];
}

/** The state at one instant, in seconds: counters since the page was opened, gauges as they were. */
interface Snapshot {
  readonly time: number;
  readonly values: Float64Array;
  /** Nothing is known of the time since the snapshot before. */
  readonly gap: boolean;
}

export interface Span {
  readonly from: Snapshot;
  readonly to: Snapshot;
  readonly seconds: number;
}

export class History {
  readonly #wanted: ReadonlySet<string>;
  readonly #gauges: ReadonlySet<string>;
  readonly #byId = new Map<string, Series>();
  readonly #byName = new Map<string, Series[]>();
  readonly #instances = new Map<number | undefined, Instance>();
  #snapshots: Snapshot[] = [];
  #totals: number[] = [];
  #current: Instance | undefined;
  #failed = false;
  /** Whether one that had been replaced by another answered again. */
  several = false;
  /** Whether another process answers than at first. */
  restarted = false;

  constructor(counters: readonly string[], gauges: readonly string[]) {
    this.#gauges = new Set([...gauges, START]);
    this.#wanted = new Set([...counters, ...this.#gauges]);
  }

  /** Takes a scrape of this instant; `there` is what the clock of the gateway says then, if it said. */
  add(text: string, time: number, there?: number): void {
    const skew = there === undefined || Math.abs(there - time) < SKEW_SECONDS ? 0 : there - time;
    const scrape = [...samples(text, this.#wanted)].map((sample) => [this.#series(sample.id, sample.name), sample.value] as const);
    const started = scrape.find(([series]) => series.name === START)?.[1];
    const here = started === undefined ? undefined : started - skew;
    const known = this.#instances.get(started);
    const instance = known ?? { started: here, seen: time, last: [] };
    this.#instances.set(started, instance);
    this.#notice(instance, known !== undefined);

    const before = this.#snapshots.at(-1)?.time;
    // What a process counted since it started is of this window where all of it can be.
    let whole = known !== undefined;
    if (!whole && here !== undefined) {
      whole = before === undefined ? time - here < WINDOW_SECONDS : here > before - SKEW_SECONDS;
    }
    if (before === undefined && whole && here !== undefined && here < time) {
      this.#snapshots.push({ time: here, values: new Float64Array(0), gap: false });
    }
    this.#count(scrape, instance, whole);
    instance.seen = time;
    this.#measure(time);
    this.#snapshots.push({ time, values: Float64Array.from(this.#totals), gap: this.#failed });
    this.#failed = false;
    const first = this.#snapshots.findLastIndex((snapshot) => snapshot.time <= time - WINDOW_SECONDS);
    if (first > 0) this.#snapshots = this.#snapshots.slice(first);
  }

  /** Nobody answered. */
  fail(): void {
    this.#failed = true;
  }

  /** How many processes have answered within this time. */
  get instances(): number {
    return this.#instances.size;
  }

  /** When the process that answered last started, in seconds by the clock here. */
  get started(): number | undefined {
    return this.#current?.started;
  }

  /** All that is kept. */
  get span(): Span | undefined {
    return this.recent(WINDOW_SECONDS);
  }

  /** The time that ends with the last scrape and is about so long, or as long as is known. */
  recent(seconds: number): Span | undefined {
    const last = this.#snapshots.length - 1;
    const to = this.#snapshots[last];
    if (to === undefined || last < 1) return undefined;
    let first = last - 1;
    while (first > 0 && to.time - (this.#snapshots[first] as Snapshot).time < seconds - 0.5) first -= 1;
    const from = this.#snapshots[first] as Snapshot;
    return { from, to, seconds: to.time - from.time };
  }

  all(name: string): readonly Series[] {
    return this.#byName.get(name) ?? [];
  }

  /** How far a counter rose. */
  rise({ index }: Series, span: Span): number {
    return (span.to.values[index] ?? 0) - (span.from.values[index] ?? 0);
  }

  /** Where a gauge stood at the end, or what a counter had come to. */
  at({ index }: Series, span: Span): number {
    return span.to.values[index] ?? 0;
  }

  /** What the process that answered last says, since it started. */
  latest({ index }: Series): number | undefined {
    return this.#current?.last[index];
  }

  /** How far the counters of this name rose together. */
  sum(name: string, span: Span, of: (labels: Labels) => boolean = () => true): number {
    let sum = 0;
    for (const series of this.all(name)) if (of(series.labels)) sum += this.rise(series, span);
    return sum;
  }

  /** The buckets of these histograms together. */
  buckets(name: string, span: Span, of: (labels: Labels) => boolean = () => true): Buckets {
    return added(this.all(`${name}_bucket`).filter((series) => of(series.labels)).map((series) => [series.labels['le'] ?? '', this.rise(series, span)]));
  }

  #series(id: string, name: string): Series {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const series = { index: this.#totals.length, name, labels: labels(id) };
    this.#totals.push(0);
    this.#byId.set(id, series);
    const named = this.#byName.get(name);
    if (named === undefined) this.#byName.set(name, [series]);
    else named.push(series);
    return series;
  }

  #notice(instance: Instance, known: boolean): void {
    if (this.#current !== undefined && this.#current !== instance) {
      this.several ||= known;
      this.restarted = true;
    }
    this.#current = instance;
  }

  #count(scrape: readonly (readonly [Series, number])[], instance: Instance, whole: boolean): void {
    const next: number[] = [];
    for (const [series, value] of scrape) {
      next[series.index] = value;
      if (this.#gauges.has(series.name)) continue;
      const last = instance.last[series.index] ?? 0;
      // A counter that fell began anew, as `rate()` takes it.
      if (whole) this.#totals[series.index] = (this.#totals[series.index] ?? 0) + (value >= last ? value - last : value);
    }
    instance.last = next;
  }

  /** Gauges are those of the process that answered last, or of all where several answer. */
  #measure(time: number): void {
    for (const [start, { seen }] of this.#instances) {
      if (time - seen > WINDOW_SECONDS) this.#instances.delete(start);
    }
    const alive = [...this.#instances.values()].filter((instance) => instance === this.#current || (this.several && time - instance.seen < GONE_SECONDS));
    for (const name of this.#gauges) {
      for (const { index } of this.all(name)) {
        this.#totals[index] = alive.reduce((sum, instance) => sum + (instance.last[index] ?? 0), 0);
      }
    }
  }
}

/** Histograms added up by their bounds. */
export function added(counts: Iterable<readonly [bound: string, count: number]>): Buckets {
  const sums = new Map<number, number>();
  for (const [bound, count] of counts) {
    const le = number(bound);
    sums.set(le, (sums.get(le) ?? 0) + count);
  }
  return [...sums].sort(([a], [b]) => a - b);
}
