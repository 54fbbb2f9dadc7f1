/** The live page: asks for `metrics` every two seconds, and shows what it says. */
import { Charts } from './charts';
import { byId, element, write } from './dom';
import { age, decimal } from './format';
import { History, WINDOW_SECONDS, type Span } from './history';
import { BUILD, COUNTERS, GAUGES, MEMORY } from './names';
import { pairs, pairTable } from './pairs';
import { Routing } from './routing';
import { showScrapeConfig } from './scrape_config';
import { Strip, warnings } from './warnings';

const INTERVAL_MS = 2000;

/** How long a scrape may take. */
const TIMEOUT_MS = 10_000;

/** Beside the page, which has no `/` at its end where it is nested. */
function beside(name: string): URL {
  const { origin, pathname } = location;
  return new URL(origin + (pathname.endsWith('/') ? pathname : `${pathname}/`) + name);
}

class Page {
  readonly #history = new History(COUNTERS, GAUGES);
  readonly #charts = new Charts();
  readonly #pairs = pairTable();
  readonly #routing = new Routing();
  readonly #strip = new Strip();
  readonly #metrics = beside('metrics');
  #lost: string | undefined;

  constructor() {
    this.#charts.mount(byId('charts'));
    byId('pairs').append(this.#pairs.node);
    showScrapeConfig(this.#metrics);
    for (const name of ['metrics', 'healthz']) byId(`to-${name}`).setAttribute('href', beside(name).href);
  }

  async run(): Promise<never> {
    for (;;) {
      const began = performance.now();
      await this.#scrape();
      const rest = INTERVAL_MS - (performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
    }
  }

  async #scrape(): Promise<void> {
    try {
      const response = await fetch(this.#metrics, {
        headers: { accept: 'text/plain;version=0.0.4' },
        cache: 'no-store',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) throw new Error(`it responds with ${response.status}`);
      const text = await response.text();
      const date = Date.parse(response.headers.get('date') ?? '');
      this.#history.add(text, Date.now() / 1000, Number.isNaN(date) ? undefined : date / 1000);
    } catch (error) {
      this.#fail(error instanceof Error && error.message.startsWith('it ') ? error.message : 'no response');
      return;
    }
    this.#show();
  }

  #fail(why: string): void {
    this.#history.fail();
    if (this.#lost === undefined) {
      const since = new Date().toLocaleTimeString();
      this.#lost = since;
      this.#strip.say(`The gateway has not answered since ${since}`);
    }
    document.body.classList.add('lost');
    write(byId('state'), `Not answering since ${this.#lost} (${why}); the numbers are from before`);
  }

  #show(): void {
    if (this.#lost !== undefined) this.#strip.say('The gateway answers again');
    this.#lost = undefined;
    document.body.classList.remove('lost');
    write(byId('state'), 'Live');
    const history = this.#history;
    const span = history.span;
    this.#run(span);
    if (span === undefined) return;
    const whole = span.seconds >= WINDOW_SECONDS - 5;
    write(byId('window'), whole ? 'the last 5 minutes' : `the last ${age(span.seconds)}`);
    const all = pairs(history, span);
    this.#strip.show(warnings(history, span, all));
    this.#charts.show(history);
    this.#pairs.show(all);
    byId('pairs').hidden = all.length === 0;
    this.#routing.show(history, span);
  }

  /** What runs. */
  #run(span: Span | undefined): void {
    const history = this.#history;
    const build = history.all(BUILD).filter((series) => history.latest(series) === 1).at(-1)?.labels;
    const memory = history.all(MEMORY)[0];
    const bytes = memory && history.latest(memory);
    const { started } = history;
    const facts: [string, string][] = [];
    if (build !== undefined) facts.push(['Version', build['version'] ?? ''], ['Commit', (build['git_sha'] ?? '').slice(0, 12)]);
    if (started !== undefined) facts.push(['Up for', age(Date.now() / 1000 - started)]);
    if (bytes !== undefined) facts.push(['Memory', `${decimal(bytes / 2 ** 20)} MiB`]);
    const list = byId('facts');
    if (list.childElementCount !== facts.length * 2) {
      list.replaceChildren(...facts.flatMap(() => [element('dt'), element('dd')]));
    }
    facts.flat().forEach((text, index) => write(list.children[index] as Element, text));
    const note = byId('note');
    if (history.several) {
      write(note, `${history.instances} processes answer at this address in turn: counts are added up, and lag behind. Open each by its own address for its own numbers.`);
    } else if (history.restarted) {
      write(note, 'The gateway has been restarted while this page was open: counts go on.');
    }
    note.hidden = !history.several && !history.restarted;
    byId('waiting').hidden = span !== undefined;
  }
}

void new Page().run();
