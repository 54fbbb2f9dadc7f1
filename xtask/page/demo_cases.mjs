// The page of the real binary, before its demo, whose truth is known.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort, open, start, table, until } from './harness.mjs';

const PAIRS = 'Providers and models';

function demo(program, dir, ports, seconds, more = []) {
  const binds = [`--bind=127.0.0.1:${ports[0]}`, `--metrics-bind=127.0.0.1:${ports[1]}`];
  return start(program, ['demo', ...binds, `--duration=${seconds}s`, '--hold=300s', ...more], path.join(dir, `demo-${ports[1]}.log`));
}

const answers = (url) => fetch(url).then((response) => response.ok, () => false);

/** The numbers of the page against what really happened. */
export async function truth(browser, { program, page, dir, seconds, picture }) {
  const ports = [await freePort(), await freePort()];
  const [url, file] = [`http://127.0.0.1:${ports[1]}/`, path.join(dir, 'truth.json')];
  const running = demo(program, dir, ports, seconds, [`--truth-json=${file}`]);
  try {
    await until('the demo answers', () => answers(`${url}metrics`));
    await serves(url, page);
    const tab = await open(browser, url);
    await tab.waitForFunction(() => document.querySelectorAll('#pairs tbody tr').length > 0);
    if (picture !== undefined) await draw(tab, picture, seconds);
    const told = JSON.parse(await until('the truth is told', () => readFile(file, 'utf8').catch(() => '')));
    assert.equal(told.agrees, true, 'the metrics tell the truth');
    const scrape = await until('nothing is under way', () => settled(`${url}metrics`));
    await until('the page shows the end', () => agrees(tab, told, scrape));
    const shown = await tab.evaluate(() => document.getElementById('facts').textContent);
    assert.match(shown, /Version\d+\.\d+\.\d+Commit\w+Up for.*Memory[\d.]+ MiB/);
    assert.deepEqual(tab.wrong, []);
    await tab.close();
  } finally {
    await running.kill();
  }
}

/** What the binary serves is what the other cases look at. */
async function serves(url, page) {
  const response = await fetch(url);
  assert.equal(await response.text(), await readFile(path.join(page, 'page.html'), 'utf8'));
  assert.equal(response.headers.get('content-security-policy'), await readFile(path.join(page, 'page.csp'), 'utf8'));
}

/** A scrape with no call in flight. */
async function settled(url) {
  const text = await (await fetch(url)).text();
  return /^brightstaff_llm_upstream_in_flight\{.*\} [1-9]/m.test(text) ? undefined : text;
}

/** Throws, but for a page that is a scrape behind. */
async function agrees(tab, told, scrape) {
  const rows = await table(tab, PAIRS);
  const total = rows.reduce((sum, row) => sum + number(row.Calls), 0);
  const truth = (family, of) => told.families[family].filter(({ labels }) => Object.entries(of).every(([name, value]) => labels[name] === value)).reduce((sum, { truth }) => sum + (truth ?? 0), 0);
  if (total !== truth('brightstaff_llm_upstream_requests_total', {})) return false;
  for (const row of rows) {
    const of = { provider: row.Provider, model: row.Model };
    const name = `${of.provider} ${of.model}`;
    const calls = truth('brightstaff_llm_upstream_requests_total', of);
    assert.equal(number(row.Calls), calls, `calls of ${name}`);
    assert.equal(number(row['Tokens in']), truth('brightstaff_llm_tokens_total', { ...of, kind: 'prompt' }), `tokens into ${name}`);
    assert.equal(number(row['Tokens out']), truth('brightstaff_llm_tokens_total', { ...of, kind: 'completion' }), `tokens of ${name}`);
    const judged = calls - truth('brightstaff_llm_upstream_requests_total', { ...of, error_class: 'cancelled' });
    near(row.Success, judged && (100 * truth('brightstaff_llm_upstream_requests_total', { ...of, error_class: 'none' })) / judged, `success of ${name}`);
    for (const [title, q] of [['TTFT p50', 0.5], ['TTFT p95', 0.95]]) {
      quantile(row[title], q, values(scrape, 'brightstaff_llm_time_to_first_token_seconds_bucket', of), `${title} of ${name}`);
    }
    const per = (part) => values(scrape, `brightstaff_llm_time_per_output_token_seconds_${part}`, of)[0]?.value;
    near(row['Tokens/s'], per('count') && per('count') / per('sum'), `speed of ${name}`);
  }
  const outcomes = await table(tab, 'Failover, sessions and the routing service');
  for (const outcome of ['hit', 'miss', 'store']) {
    const row = outcomes.find((row) => row.What === 'sessions' && row.Outcome === outcome);
    assert.equal(number(row.Count), truth('brightstaff_session_cache_events_total', { outcome }), `sessions: ${outcome}`);
  }
  for (const row of await table(tab, 'Decisions')) {
    assert.equal(number(row.Decisions), truth('brightstaff_router_decisions_total', { route: row.Route, selected_model: row.Model }), `decisions for ${row.Model}`);
  }
  return true;
}

const number = (text) => Number(text.replaceAll(',', ''));

/** Three digits are shown. */
function near(text, value, what) {
  if (!Number.isFinite(value) || text === '–') return assert.ok(!value || !Number.isFinite(value), `${what}: ${text}, not ${value}`);
  const shown = number(text.replace(' %', ''));
  assert.ok(Math.abs(shown - value) <= 0.005 * Math.abs(value), `${what}: ${text}, not ${value}`);
}

/** Read anew, by other means than the page's. */
function values(scrape, name, of) {
  const lines = scrape.split('\n').filter((line) => line.startsWith(`${name}{`) && Object.entries(of).every(([label, value]) => line.includes(`${label}="${value}"`)));
  return lines.map((line) => ({ le: /le="([^"]*)"/.exec(line)?.[1], value: Number(line.slice(line.lastIndexOf(' '))) }));
}

function quantile(text, q, buckets, what) {
  const total = buckets.at(-1)?.value;
  if (!total) return assert.equal(text, '–', what);
  const at = buckets.findIndex(({ value }) => value >= q * total);
  const bound = (index) => Number(buckets[index].le);
  const unit = text.endsWith('ms') ? 1e-3 : text.endsWith('µs') ? 1e-6 : 1;
  const shown = Number(text.replace(/[^\d.]/g, '')) * unit;
  if (at === 0) return assert.ok(text.startsWith('< ') && Math.abs(shown - bound(0)) < 1e-9, `${what}: ${text}`);
  if (buckets[at].le === '+Inf') return assert.ok(text.startsWith('> ') && shown === bound(at - 1), `${what}: ${text}`);
  const [low, high] = [buckets[at - 1].value, buckets[at].value];
  const value = bound(at - 1) + ((q * total - low) / (high - low)) * (bound(at) - bound(at - 1));
  assert.ok(Math.abs(shown - value) <= 0.005 * value, `${what}: ${text}, not ${value}`);
}

async function draw(tab, picture, seconds) {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, seconds - 8) * 1000));
  await tab.screenshot({ path: picture, fullPage: true });
  await tab.emulateMedia({ colorScheme: 'dark' });
  await tab.screenshot({ path: picture.replace(/\.png$/, '-dark.png'), fullPage: true });
  await tab.emulateMedia({ colorScheme: 'light' });
}

/** A gateway that dies, and one that comes in its place. */
export async function restart(browser, { program, dir }) {
  const ports = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${ports[1]}/`;
  let running = demo(program, dir, ports, 300);
  try {
    await until('the demo answers', () => answers(`${url}metrics`));
    const tab = await open(browser, url);
    await tab.waitForFunction(() => document.querySelectorAll('#pairs tbody tr').length > 0);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const state = () => tab.locator('#state').textContent();
    const calls = async () => (await table(tab, PAIRS)).reduce((sum, row) => sum + number(row.Calls), 0);
    await running.kill();
    await until('the page says so', async () => (await state()).startsWith('Not answering since'));
    const before = await calls();
    assert.ok(before > 0, 'what was known stays');
    running = demo(program, dir, ports, 300);
    await until('the page is live again', async () => (await state()) === 'Live');
    assert.match(await tab.locator('#note').textContent(), /restarted/);
    await until('counts go on', async () => (await calls()) > before);
    assert.deepEqual(tab.wrong, []);
    await tab.close();
  } finally {
    await running.kill();
  }
}
