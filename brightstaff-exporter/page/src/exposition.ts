/** Reads the text exposition format, version 0.0.4. */

export type Labels = Readonly<Record<string, string>>;

/** One line of a scrape. `id` is its name and labels as they were written. */
export interface Sample {
  readonly id: string;
  readonly name: string;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** The samples of these names; what is no sample is passed over. */
export function* samples(text: string, wanted: ReadonlySet<string>): Generator<Sample> {
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const end = line.search(/[{ \t]/);
    if (!wanted.has(line.slice(0, end))) continue;
    const parts = LINE.exec(line);
    if (parts === null) continue;
    const name = parts[1] as string;
    yield { id: name + (parts[2] ?? ''), name, value: number(parts[3] as string) };
  }
}

/** The labels in the id of a sample. */
export function labels(id: string): Labels {
  // Without a prototype, so that `__proto__` is a name like any other.
  const found: Record<string, string> = Object.create(null);
  for (const [, name, value] of id.matchAll(LABEL)) found[name as string] = unescape(value as string);
  return found;
}

/** A value or a bucket's bound. */
export function number(text: string): number {
  switch (text.toLowerCase()) {
    case '+inf':
    case 'inf':
      return Infinity;
    case '-inf':
      return -Infinity;
    default:
      return Number(text);
  }
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
