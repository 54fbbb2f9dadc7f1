// The page's sums without a browser.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as esbuild from 'esbuild';

async function load(sources, module) {
  const { outputFiles } = await esbuild.build({ entryPoints: [path.join(sources, 'src', `${module}.ts`)], bundle: true, write: false, format: 'esm', target: 'node20', logLevel: 'error' });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

export async function units(sources) {
  await reads(await load(sources, 'exposition'));
  await remembersGaps(await load(sources, 'history'));
  await agreesWithTop(sources);
  await isDeclared(await load(sources, 'names'), path.join(sources, '../../METRICS.md'));
}

/** The page reads no family that the catalogue does not have. */
async function isDeclared({ COUNTERS, GAUGES }, catalogue) {
  const declared = await readFile(catalogue, 'utf8');
  for (const name of [...COUNTERS, ...GAUGES]) {
    assert.ok(declared.includes(`\`${name.replace(/_(bucket|sum|count)$/, '')}\``), `${name} is not in METRICS.md`);
  }
}

function reads({ samples, labels, number }) {
  const text = [
    '# HELP a_total Text with {x="y"} 1',
    'a_total 1',
    'a_total{x="a } b",y="say \\"hi\\"\\\\n"} 1.5e+3 1795881144000',
    'a_total{x="line\\nbreak"} +Inf',
    'b_total 7',
    'a_total_more 8',
    'a_total{x="never ends} 9',
    'a_total{__proto__="p",x=""}\t2e-05',
    '',
  ].join('\n');
  const read = [...samples(text, new Set(['a_total']))];
  assert.deepEqual(read.map(({ value }) => value), [1, 1500, Infinity, 2e-5]);
  assert.deepEqual({ ...labels(read[1].id) }, { x: 'a } b', y: 'say "hi"\\n' });
  assert.equal(labels(read[2].id).x, 'line\nbreak');
  assert.equal(Object.getOwnPropertyDescriptor(labels(read[3].id), '__proto__').value, 'p');
  assert.deepEqual([number('+Inf'), number('-Inf'), number('1e-05')], [Infinity, -Infinity, 1e-5]);
  assert.ok(Number.isNaN(number('NaN')));
}

function remembersGaps({ History }) {
  const history = new History(['a_total'], []);
  const scrape = (a) => `process_start_time_seconds 1\na_total ${a}\n`;
  history.add(scrape(1), 9000);
  history.add(scrape(2), 9002);
  assert.equal(history.span.to.gap, false);
  history.fail();
  history.add(scrape(3), 9030);
  assert.equal(history.span.to.gap, true);
}

/** The cases that `brightstaff-exporter top` meets, too: both do the same sums. */
async function agreesWithTop(sources) {
  const cases = JSON.parse(await readFile(path.join(sources, 'cases.json'), 'utf8'));
  const [format, { quantile }, { number }] = await Promise.all(['format', 'quantile', 'exposition'].map((module) => load(sources, module)));
  for (const [name, texts] of Object.entries(cases.texts)) {
    for (const [value, text] of texts) assert.equal(format[name](value), text, `${name} of ${value}`);
  }
  for (const [part, whole, text] of cases.shares) assert.equal(format.share(part, whole), text);
  for (const [q, buckets, text] of cases.quantiles) {
    assert.equal(format.quantileText(quantile(q, buckets.map(([le, count]) => [number(le), count]))), text);
  }
  const modules = await Promise.all(['history', 'names', 'pairs', 'warnings'].map((module) => load(sources, module)));
  for (const one of cases.histories) tells(Object.assign({}, format, ...modules), one);
}

function tells({ History, COUNTERS, GAUGES, CALLS, CALLS_IN_FLIGHT, pairs, warnings, of, judged, share, quantileText }, { name, at, there, series, expect }) {
  const history = new History(COUNTERS, GAUGES);
  at.forEach((time, index) => {
    const lines = Object.entries(series).filter(([, values]) => values[index] !== null);
    history.add(lines.map(([id, values]) => `${id} ${values[index]}\n`).join(''), time, there?.[index]);
  });
  const { span } = history;
  assert.equal(span?.seconds ?? null, expect.seconds, name);
  if (span === undefined) return;
  const all = pairs(history, span);
  const told = {
    calls: history.sum(CALLS, span),
    in_flight: history.all(CALLS_IN_FLIGHT).reduce((sum, series) => sum + history.at(series, span), 0),
    recent_10: history.recent(10).seconds,
    restarted: history.restarted,
    several: history.several,
    instances: history.instances,
  };
  for (const [what, value] of Object.entries(told)) if (expect[what] !== undefined) assert.equal(value, expect[what], `${name}: ${what}`);
  for (const [id, row] of Object.entries(expect.pairs ?? {})) {
    const pair = all.find(({ provider, model }) => `${provider} ${model}` === id);
    const shown = {
      calls: pair.total,
      success: share(of(pair, 'none'), judged(pair)),
      p50: quantileText(pair.p50),
      p95: quantileText(pair.p95),
      speed: Math.round((pair.perTokenCount / pair.perTokenSum) * 1e6) / 1e6,
      tokens_in: pair.tokensIn,
      tokens_out: pair.tokensOut,
      missing: share(pair.usageMissing, pair.succeeded2xx),
    };
    assert.deepEqual(shown, row, `${name}: ${id}`);
  }
  if (expect.warnings === undefined) return;
  const found = warnings(history, span, all).map(({ title, detail, critical }) => [title, detail, critical]);
  assert.deepEqual(found.sort(([a], [b]) => (a < b ? -1 : 1)), expect.warnings, name);
}
