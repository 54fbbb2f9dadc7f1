/** Tables whose rows are kept from one scrape to the next, sorted by the column that is pressed. */
import { arrange, element, write } from './dom';

export interface Column<Row> {
  readonly title: string;
  /** What is meant, where the title is short. */
  readonly hint?: string;
  readonly text: (row: Row) => string;
  /** What is sorted by; text columns go by their text. */
  readonly value?: (row: Row) => number;
}

interface Line {
  readonly row: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
}

/** How many rows are there at first, and how many more each time. */
const STEP = 20;

export class Table<Row> {
  readonly node: HTMLElement;
  readonly #columns: readonly Column<Row>[];
  readonly #key: (row: Row) => string;
  readonly #headers: HTMLTableCellElement[];
  readonly #body = element('tbody', { role: 'rowgroup' });
  readonly #more = element('button', { type: 'button', class: 'more' });
  readonly #lines = new Map<string, Line>();
  #rows: readonly Row[] = [];
  #by: number;
  #falling: boolean;
  #limit = STEP;

  /** Sorted by the column `by` at first, numbers with the largest first. The first `heads` columns name their row. */
  constructor(caption: string, columns: readonly Column<Row>[], key: (row: Row) => string, by: number, readonly heads: number) {
    this.#columns = columns;
    this.#key = key;
    this.#by = by;
    this.#falling = columns[by]?.value !== undefined;
    this.#headers = columns.map((column, index) => this.#header(column, index));
    const head = element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...this.#headers));
    // Small screens show rows as blocks, which would take a table's meaning away: the roles keep it.
    const table = element('table', { role: 'table' }, element('caption', {}, element('h2', {}, caption)), head, this.#body);
    this.#more.addEventListener('click', () => this.#grow());
    this.node = element('div', { class: 'table' }, table, this.#more);
  }

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#draw();
  }

  #header(column: Column<Row>, index: number): HTMLTableCellElement {
    const button = element('button', { type: 'button', ...(column.hint === undefined ? {} : { title: column.hint }) }, column.title);
    button.addEventListener('click', () => {
      this.#falling = this.#by === index ? !this.#falling : column.value !== undefined;
      this.#by = index;
      this.#draw();
    });
    return element('th', { scope: 'col', role: 'columnheader', class: column.value === undefined ? 'text' : 'number' }, button);
  }

  #grow(): void {
    const first = this.#limit;
    this.#limit += STEP * 5;
    this.#draw();
    // The button may be gone, and the keyboard's place with it.
    const row = this.#body.children[first];
    if (this.#more.hidden && row instanceof HTMLElement) {
      row.tabIndex = -1;
      row.focus();
    }
  }

  #draw(): void {
    this.#headers.forEach((header, index) => {
      const order = index !== this.#by ? 'none' : this.#falling ? 'descending' : 'ascending';
      if (header.getAttribute('aria-sort') !== order) header.setAttribute('aria-sort', order);
    });
    const shown = this.#sorted().slice(0, this.#limit);
    const lines = shown.map((row) => this.#line(row));
    arrange(this.#body, lines.map((line) => line.row));
    const rest = this.#rows.length - shown.length;
    this.#more.hidden = rest <= 0;
    write(this.#more, `Show ${Math.min(rest, STEP * 5)} more of ${this.#rows.length}`);
  }

  #sorted(): Row[] {
    const { text, value } = this.#columns[this.#by] as Column<Row>;
    const order = value === undefined ? (a: Row, b: Row) => compare(text(a), text(b)) : (a: Row, b: Row) => last(value(a), this.#falling) - last(value(b), this.#falling);
    const sign = this.#falling ? -1 : 1;
    return [...this.#rows].sort((a, b) => sign * (order(a, b) || 0) || compare(this.#key(a), this.#key(b)));
  }

  #line(row: Row): Line {
    const key = this.#key(row);
    let line = this.#lines.get(key);
    if (line === undefined) {
      const cells = this.#columns.map((column, index) => {
        const kind = column.value === undefined ? 'text' : 'number';
        const attributes = { class: kind, 'data-title': column.title };
        return index < this.heads ? element('th', { ...attributes, scope: 'row', role: 'rowheader' }) : element('td', { ...attributes, role: 'cell' });
      });
      line = { row: element('tr', { role: 'row' }, ...cells), cells };
      this.#lines.set(key, line);
    }
    line.cells.forEach((cell, index) => write(cell, (this.#columns[index] as Column<Row>).text(row)));
    return line;
  }
}

/** What was not measured stands last, whichever way. */
const last = (value: number, falling: boolean): number => (Number.isNaN(value) ? (falling ? -1 : Number.MAX_VALUE) : Math.min(value, Number.MAX_VALUE / 2));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
