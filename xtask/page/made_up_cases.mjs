// The page before metrics that we made up: what a demo does not do.
import assert from 'node:assert/strict';
import { open, serve, table, until } from './harness.mjs';
import { longAgo, pair, scrape } from './made_up.mjs';

const PAIRS = 'Providers and models';

const live = (tab) => tab.waitForFunction(() => document.querySelectorAll('#pairs tbody tr').length > 0);

/** Runs one case against a server of its own. */
async function against(browser, page, metrics, use, base) {
  const server = await serve(page, metrics, base);
  const tab = await open(browser, server.url);
  try {
    await use(tab, server);
    assert.deepEqual(tab.wrong, []);
  } finally {
    await tab.close();
    await server.close();
  }
}

/** Names that would be markup, each written as the exposition writes it. */
const HOSTILE = ['<img src=x onerror=\\"window.hacked=1\\">', '</script><script>window.hacked=1</script>', '\\"><svg onload=window.hacked=1>', 'a\\\\b\\nc', '&lt;b&gt;', '__proto__', 'x'.repeat(128)];

export async function hostile(browser, page) {
  const started = longAgo();
  let turns = 0;
  const metrics = () => {
    turns += 1;
    const pairs = HOSTILE.map((name) => pair(name, name, turns, { failed: 5 }));
    const rest = HOSTILE.flatMap((name) => [
      `brightstaff_router_decisions_total{fallback="true",route="${name}",selected_model="${name}"} ${turns}`,
      `brightstaff_llm_failover_requests_total{outcome="exhausted",route="${name}"} ${20 * turns}`,
      `brightstaff_metrics_label_overflow_total{label="${name}"} ${turns}`,
      `brightstaff_build_info{git_sha="${name}",version="${name}"} 1`,
    ]);
    return scrape(started, ...pairs, ...rest);
  };
  await against(browser, page, metrics, async (tab) => {
    await live(tab);
    const meant = HOSTILE.map((name) => name.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c))).sort();
    const shown = await table(tab, PAIRS);
    assert.deepEqual(shown.map((row) => row.Provider).sort(), meant);
    assert.deepEqual(shown.map((row) => row.Model).sort(), meant);
    const warned = await tab.locator('#warnings li').allTextContents();
    for (const name of meant) assert.ok(warned.some((text) => text.startsWith(`${name}: calls fail`)), name);
    assert.equal(await tab.locator('main img, main script, #pairs svg, #warnings svg, #facts *:not(dt):not(dd)').count(), 0);
    assert.equal(await tab.evaluate(() => window.hacked), undefined);
    // The policy, too, by itself: what markup would run does not.
    const refused = await tab.evaluate(
      () =>
        new Promise((resolve) => {
          document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true });
          const script = document.createElement('script');
          script.textContent = 'window.hacked = 1';
          document.body.append(script);
        }),
    );
    assert.match(refused, /^script-src/);
    assert.equal(await tab.evaluate(() => window.hacked), undefined);
    tab.wrong = tab.wrong.filter((text) => !/Content Security Policy/.test(text));
    await phone(tab);
  });
}

/** Nothing has to be pushed aside to be read. */
async function phone(tab) {
  for (const width of [360, 320, 768]) {
    await tab.setViewportSize({ width, height: 700 });
    assert.ok((await tab.evaluate(() => document.documentElement.scrollWidth)) <= width, `at ${width} px`);
  }
  await tab.setViewportSize({ width: 360, height: 700 });
  const hidden = await tab.evaluate(() => [...document.querySelectorAll('#pairs td')].filter((cell) => cell.getBoundingClientRect().right > innerWidth).length);
  assert.equal(hidden, 0);
  // Blocks are still a table to who hears them.
  assert.ok((await tab.getByRole('table', { name: PAIRS, exact: true }).getByRole('rowheader').count()) > 0);
  await tab.setViewportSize({ width: 1280, height: 900 });
}

export async function many(browser, page) {
  const started = longAgo();
  let turns = 0;
  const metrics = () => {
    turns += 1;
    return scrape(started, ...Array.from({ length: 200 }, (_, i) => pair(`provider-${i % 7}`, `model-${String(i).padStart(3, '0')}`, turns, { calls: 10 + i })));
  };
  await against(browser, page, metrics, async (tab) => {
    await live(tab);
    assert.equal((await table(tab, PAIRS)).length, 20);
    const first = (await table(tab, PAIRS))[0];
    assert.equal(first.Model, 'model-199', 'the busiest comes first');
    await keyboard(tab);
    const session = await tab.context().newCDPSession(tab);
    await session.send('Performance.enable');
    const worked = async () => (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value;
    const more = tab.getByRole('button', { name: /^Show/ });
    await more.click();
    assert.equal((await table(tab, PAIRS)).length, 120);
    await more.click();
    assert.equal((await table(tab, PAIRS)).length, 200);
    assert.equal(await tab.evaluate(() => document.activeElement?.tagName), 'TR', 'the keyboard goes on where the rows do');
    const [from, since] = [turns, await worked()];
    await until('five scrapes', () => turns >= from + 5);
    const each = ((await worked()) - since) / (turns - from);
    console.log(`200 pairs: ${Math.round(each * 1000)} ms of work a scrape`);
    assert.ok(each < 1, `${each} s of work a scrape, of 2`);
  });
}

async function keyboard(tab) {
  await tab.keyboard.press('Tab');
  assert.equal(await tab.evaluate(() => document.activeElement?.className), 'skip');
  await tab.keyboard.press('Enter');
  assert.equal(await tab.evaluate(() => document.activeElement?.id), 'pairs');
  await tab.keyboard.press('Tab');
  await tab.keyboard.press('Tab');
  const at = await tab.evaluate(() => [document.activeElement?.textContent, getComputedStyle(document.activeElement).outlineStyle]);
  assert.deepEqual(at, ['Model', 'solid'], 'the focus shows');
  await tab.keyboard.press('Enter');
  const header = tab.getByRole('columnheader', { name: 'Model' });
  await until('rising', async () => (await header.getAttribute('aria-sort')) === 'ascending');
  assert.equal((await table(tab, PAIRS))[0].Model, 'model-000');
  await tab.keyboard.press('Enter');
  assert.equal((await table(tab, PAIRS))[0].Model, 'model-199');
  assert.equal(await tab.evaluate(() => document.activeElement?.textContent), 'Model', 'the focus stays');
}

export async function bounds(browser, page) {
  const started = longAgo();
  let turns = 0;
  const metrics = () => {
    turns += 1;
    return scrape(started, pair('fast', 'm', turns, { firstToken: 0.001 }), pair('slow', 'm', turns, { firstToken: 500 }), pair('mid', 'm', turns, { firstToken: 0.3 }));
  };
  await against(browser, page, metrics, async (tab) => {
    await live(tab);
    const rows = Object.fromEntries((await table(tab, PAIRS)).map((row) => [row.Provider, [row['TTFT p50'], row['TTFT p95']]]));
    assert.deepEqual(rows, { fast: ['< 10 ms', '< 10 ms'], slow: ['> 120 s', '> 120 s'], mid: ['300 ms', '480 ms'] });
    const row = (await table(tab, PAIRS))[0];
    assert.deepEqual([row.Success, row['Tokens/s'], row['No usage']], ['100 %', '50', '0 %']);
    assert.deepEqual(await tab.locator('#warnings li b').allTextContents(), ['slow m: the first token comes late']);
  });
}

/** Each trouble has its line, and nothing else has one. */
export async function warned(browser, page) {
  const started = longAgo();
  let turns = 0;
  const metrics = () => {
    turns += 1;
    return scrape(
      started,
      pair('well', 'm', turns),
      pair('down', 'm', turns, { failed: 9, fault: 'connect', status: 'error' }),
      pair('storm', 'm', turns, { failed: 2, fault: 'rate_limit', status: '4xx' }),
      pair('keyless', 'm', turns, { failed: 5, status: '4xx' }),
      pair('given-up', 'm', turns, { failed: 9, fault: 'cancelled', status: 'error' }),
      pair('silent', 'm', turns, { missing: 2 }),
      pair('nameless', 'other', turns),
      `brightstaff_metrics_label_overflow_total{label="upstream"} ${turns}`,
      'brightstaff_metrics_label_overflow_total{label="handler"} 0',
      `brightstaff_http_requests_total{handler="llm_chat",method="POST",status_class="2xx"} ${20 * turns}`,
      `brightstaff_http_requests_total{handler="llm_chat",method="POST",status_class="5xx"} ${5 * turns}`,
      `brightstaff_llm_failover_requests_total{outcome="recovered",route="llm"} ${12 * turns}`,
      `brightstaff_llm_failover_requests_total{outcome="exhausted",route="llm"} ${turns}`,
    );
  };
  await against(browser, page, metrics, async (tab) => {
    await until('ten of each', async () => (await tab.locator('#warnings li').count()) >= 8);
    assert.deepEqual((await tab.locator('#warnings li b').allTextContents()).sort(), [
      'Requests fail',
      'Route llm: every candidate failed',
      'Series are folded into "other" (upstream)',
      'down: calls fail',
      'keyless: calls are refused',
      'nameless: no model is known',
      'silent: token counts are incomplete',
      'storm: calls are refused for their rate',
    ]);
    assert.equal(await tab.locator('#aloud').getAttribute('aria-live'), 'polite');
    assert.ok((await tab.locator('#aloud').textContent()).includes('down: calls fail'), 'it is said aloud');
    assert.deepEqual(await tab.locator('#warnings li.critical b').allTextContents(), ['Requests fail', 'down: calls fail']);
    // Not by its colour alone.
    const said = (place) => tab.locator(place).first().evaluate((item) => getComputedStyle(item, '::before').content);
    assert.deepEqual([await said('#warnings li.critical'), await said('#warnings li:not(.critical)')], ['"Critical"', '"Warning"']);
  });
}

/** Behind one address, nested, with a `/` at its end and without. */
export async function several(browser, page) {
  await Promise.all(['/internal', '/internal/', '/a/b'].map((base) => mounted(browser, page, base)));
}

async function mounted(browser, page, base) {
  const started = [longAgo(), longAgo() + 5];
  let asked = 0;
  const metrics = () => {
    asked += 1;
    const turns = Math.ceil(asked / 2);
    return asked % 2 === 0 ? scrape(started[1], pair('p', 'm', 1000 * turns, { calls: 1 })) : scrape(started[0], pair('p', 'm', turns, { calls: 1 }));
  };
  const use = async (tab, server) => {
    const config = await tab.locator('#config').textContent();
    const where = `${base.replace(/\/$/, '')}/metrics`;
    assert.equal(config, `scrape_configs:\n  - job_name: brightstaff\n    metrics_path: "${where}"\n    static_configs:\n      - targets: ["127.0.0.1:${server.port}"]\n`);
    assert.equal(await tab.locator('#to-metrics').evaluate((link) => link.pathname), where);
    await until('the page notices', async () => (await tab.locator('#note').textContent()).startsWith('2 processes answer'));
    await until('three scrapes of each', () => asked >= 7);
    // Counts that jump back and forth add up to what happened, and never to more.
    const calls = Number((await table(tab, PAIRS))[0].Calls.replaceAll(',', ''));
    assert.ok(calls >= 2000 && calls <= 1000 * (Math.floor(asked / 2) - 1) + Math.ceil(asked / 2) - 1, `${calls} calls after ${asked} scrapes`);
  };
  await against(browser, page, metrics, use, base);
}

/** What refuses a scrape is told, and what was known stays. */
export async function refused(browser, page) {
  let answer;
  let turns = 0;
  const started = longAgo();
  const metrics = () => answer ?? scrape(started, pair('p', 'm', (turns += 1)));
  await against(browser, page, metrics, async (tab) => {
    await live(tab);
    answer = 401;
    const state = tab.locator('#state');
    await until('it says so', async () => /\(it responds with 401\)/.test(await state.textContent()));
    assert.equal((await table(tab, PAIRS)).length, 1);
    answer = undefined;
    await until('it lives again', async () => (await state.textContent()) === 'Live');
  });
}

export async function colours(browser, page) {
  await against(browser, page, () => scrape(longAgo(), pair('p', 'm', 1)), async (tab) => {
    const back = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const seen = [];
    for (const colorScheme of ['light', 'dark']) {
      await tab.emulateMedia({ colorScheme });
      seen.push(await back());
      for (const [line, contrast] of Object.entries(await tab.evaluate(contrasts))) {
        assert.ok(contrast >= 3, `${line} on a card in ${colorScheme}: ${contrast.toFixed(2)}`);
      }
    }
    assert.notEqual(seen[0], seen[1]);
  });
}

/** Runs in the page: how far each colour of a line stands out from the card behind it, as WCAG 2 reckons it. */
function contrasts() {
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const card = light(getComputedStyle(document.querySelector('figure')).backgroundColor);
  const classes = ['c1', 'c2', ...['timeout', 'connect', 'parse', 'rate_limit', 'status', 'stream', 'cancelled', 'other'].map((fault) => `e-${fault}`)];
  return Object.fromEntries(classes.map((name) => {
    const line = document.createElement('i');
    line.className = name;
    document.querySelector('figure').append(line);
    const [low, high] = [card, light(getComputedStyle(line).color)].sort((a, b) => a - b);
    line.remove();
    return [name, (high + 0.05) / (low + 0.05)];
  }));
}
