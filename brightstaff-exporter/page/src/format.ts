/** Numbers for people. */
import type { Quantile } from './quantile';

/** What stands where nothing was measured. */
export const NOTHING = '–';

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Three digits, such as 0.0123, 12.3, 1,230 and 1.23 M. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) return NOTHING;
  if (value >= 1e9) return `${short(value / 1e9)} G`;
  if (value >= 1e6) return `${short(value / 1e6)} M`;
  return value >= 1000 ? count(value) : short(value);
}

export const rate = (value: number): string => `${decimal(value)}/s`;

export const share = (part: number, whole: number): string => (whole > 0 ? `${short((part / whole) * 100)} %` : NOTHING);

/** A time in its own unit. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOTHING;
  if (seconds >= 1 || seconds === 0) return `${short(seconds)} s`;
  return seconds >= 0.001 ? `${short(seconds * 1e3)} ms` : `${short(seconds * 1e6)} µs`;
}

export function quantileText(quantile: Quantile): string {
  switch (quantile.kind) {
    case 'none':
      return NOTHING;
    case 'at':
      return duration(quantile.value);
    case 'below':
      return `< ${duration(quantile.value)}`;
    case 'above':
      return `> ${duration(quantile.value)}`;
  }
}

/** A long time, in its two largest units. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
