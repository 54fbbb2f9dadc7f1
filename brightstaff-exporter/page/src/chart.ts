/** Lines over five minutes. */
import { drawing, element, write } from './dom';
import { WINDOW_SECONDS } from './history';

const WIDTH = 300;
const HEIGHT = 64;

/** One line of a chart: its name, the class of its colour, what to say of it now, and its points. */
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly now: string;
  /** `NaN` where nothing is known. */
  readonly points: readonly (readonly [time: number, value: number])[];
}

export class Chart {
  readonly node: HTMLElement;
  readonly #title: string;
  readonly #unit: (value: number) => string;
  readonly #svg = drawing('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
  readonly #top = element('span', { class: 'top' });
  readonly #legend = element('ul', { class: 'legend' });
  readonly #lines = new Map<string, { path: SVGElement; now: HTMLElement; item: HTMLElement }>();

  constructor(title: string, unit: (value: number) => string) {
    this.#title = title;
    this.#unit = unit;
    const picture = element('div', { class: 'picture' }, this.#top);
    const axis = element('div', { class: 'axis', 'aria-hidden': 'true' }, element('span', {}, `${WINDOW_SECONDS / 60} min ago`), element('span', {}, 'now'));
    picture.append(this.#svg, axis);
    this.node = element('figure', {}, element('figcaption', {}, title), this.#legend, picture);
  }

  /** Draws these lines, up to this instant. */
  show(lines: readonly Line[], now: number): void {
    const values = lines.flatMap((line) => line.points.map(([, value]) => value)).filter(Number.isFinite);
    const top = Math.max(0, ...values) || 1;
    write(this.#top, values.some((value) => value > 0) ? this.#unit(top) : '');
    for (const [name, { path, item }] of this.#lines) {
      if (lines.some((line) => line.name === name)) continue;
      path.remove();
      item.remove();
      this.#lines.delete(name);
    }
    for (const line of lines) {
      const known = this.#lines.get(line.name) ?? this.#add(line);
      known.path.setAttribute('d', path(line.points, now, top));
      write(known.now, line.now);
    }
    const summary = `${this.#title}, five minutes. Now: ${lines.map((line) => `${line.name} ${line.now}`).join(', ')}`;
    if (this.#svg.getAttribute('aria-label') !== summary) this.#svg.setAttribute('aria-label', summary);
  }

  #add({ name, colour }: Line): { path: SVGElement; now: HTMLElement; item: HTMLElement } {
    const path = drawing('path', { class: `line ${colour}`, 'vector-effect': 'non-scaling-stroke' });
    const now = element('b');
    const key = element('span', { class: `key ${colour}`, 'aria-hidden': 'true' });
    const item = element('li', {}, key, `${name} `, now);
    this.#svg.append(path);
    this.#legend.append(item);
    const line = { path, now, item };
    this.#lines.set(name, line);
    return line;
  }
}

/** A path that breaks where nothing is known. */
function path(points: Line['points'], now: number, top: number): string {
  let pen = 'M';
  let drawn = '';
  for (const [time, value] of points) {
    if (!Number.isFinite(value)) {
      pen = 'M';
      continue;
    }
    const x = WIDTH * (1 - (now - time) / WINDOW_SECONDS);
    const y = HEIGHT - 2 - (HEIGHT - 6) * (value / top);
    if (x < 0) continue;
    const point = `${x.toFixed(1)} ${y.toFixed(1)}`;
    // One point alone is a dot.
    drawn += pen === 'M' ? `M${point}h.01` : `L${point}`;
    pen = 'L';
  }
  return drawn;
}
