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
  divides(await load(sources, 'quantile'));
  await remembers(await load(sources, 'history'));
  says(await load(sources, 'format'));
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

function divides({ quantile }) {
  const buckets = [[1, 10], [2, 20], [4, 40], [Infinity, 40]];
  assert.deepEqual(quantile(0.5, buckets), { kind: 'at', value: 2 });
  assert.deepEqual(quantile(0.75, buckets), { kind: 'at', value: 3 });
  assert.deepEqual(quantile(0.1, buckets), { kind: 'below', value: 1 });
  assert.deepEqual(quantile(0.99, [[1, 1], [2, 2], [Infinity, 40]]), { kind: 'above', value: 2 });
  assert.deepEqual(quantile(0.5, [[1, 0], [Infinity, 0]]), { kind: 'none' });
  assert.deepEqual(quantile(0.5, []), { kind: 'none' });
}

function remembers({ History }) {
  const made = () => new History(['a_total'], ['g']);
  const scrape = (started, a, g = 0) => `process_start_time_seconds ${started}\na_total ${a}\ng ${g}\n`;
  const sum = (history) => history.sum('a_total', history.span);

  const young = made();
  young.add(scrape(1000, 7), 1010);
  assert.equal(sum(young), 7, 'a process that is younger than the window is known whole');
  assert.equal(young.span.seconds, 10);
  young.add(scrape(1000, 9), 1012);
  young.add(scrape(1013, 4), 1014);
  assert.equal(sum(young), 13, 'a restart loses nothing');
  assert.deepEqual([young.restarted, young.several], [true, false]);

  const old = made();
  old.add(scrape(1000, 700), 9000);
  assert.equal(old.span, undefined, 'what an old process counted is of no known time');
  old.add(scrape(1000, 706) + 'a_total{new="1"} 2\n', 9002);
  assert.equal(sum(old), 8, 'a new series counts from 0');
  for (let time = 9004; time <= 9400; time += 2) old.add(scrape(1000, 706), time);
  assert.equal(sum(old), 0, 'what is older than the window is forgotten');

  const two = made();
  two.add(scrape(1, 100, 1), 9000);
  two.add(scrape(2, 50, 2), 9002);
  two.add(scrape(1, 110, 3), 9004);
  two.add(scrape(2, 55, 2), 9006);
  assert.deepEqual([two.several, two.instances, sum(two)], [true, 2, 15]);
  assert.equal(two.at(two.all('g')[0], two.span), 5, 'gauges of both');

  const nameless = made();
  nameless.add('a_total 100\n', 9000);
  nameless.add('a_total 3\n', 9002);
  assert.equal(sum(nameless), 3, 'a counter that fell began anew');

  const skewed = made();
  skewed.add(scrape(5000, 7), 1010, 5010);
  assert.equal(skewed.span.seconds, 10, 'the clock of the gateway may be another');

  const lost = made();
  lost.add(scrape(1, 1), 9000);
  lost.add(scrape(1, 2), 9002);
  lost.fail();
  lost.add(scrape(1, 3), 9030);
  assert.deepEqual([lost.span.to.gap, lost.recent(10).seconds], [true, 28]);
}

function says({ decimal, duration, share, age, quantileText }) {
  assert.deepEqual([0, 0.01234, 12.345, 1234.5, 1234567].map(decimal), ['0', '0.0123', '12.3', '1,235', '1.23 M']);
  assert.deepEqual([0.000004, 0.0123, 1.5, NaN].map(duration), ['4 µs', '12.3 ms', '1.5 s', '–']);
  assert.deepEqual([share(1, 3), share(0, 0)], ['33.3 %', '–']);
  assert.deepEqual([age(59), age(61), age(3700), age(90000)], ['59 s', '1 min 1 s', '1 h 1 min', '1 d 1 h']);
  assert.deepEqual([quantileText({ kind: 'below', value: 0.000005 }), quantileText({ kind: 'above', value: 120 })], ['< 5 µs', '> 120 s']);
}
