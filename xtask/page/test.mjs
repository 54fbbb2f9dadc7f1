// node test.mjs SOURCES PAGE EXPORTER CHROMIUM [--seconds SECONDS] [--picture FILE.png]: the live page in a real browser.
// SOURCES is the page's TypeScript, PAGE the folder of what it was compiled to, EXPORTER the binary that serves it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { restart, truth } from './demo_cases.mjs';
import { withBrowser } from './harness.mjs';
import { bounds, colours, hostile, many, refused, several, warned } from './made_up_cases.mjs';
import { units } from './units.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '8' }, picture: { type: 'string' }, only: { type: 'string' } },
});
const [sources, page, program, chromium] = positionals.map((argument) => path.resolve(argument));
const dir = await mkdtemp(path.join(tmpdir(), 'brightstaff-page-'));
const options = { program, page, dir, seconds: Number(values.seconds), picture: values.picture };

await units(sources);
let failed = 0;
await withBrowser(chromium, async (browser) => {
  const cases = [truth, restart, hostile, many, bounds, warned, several, refused, colours];
  // At once: most of them wait for scrapes.
  const chosen = cases.filter((one) => values.only === undefined || values.only === one.name);
  await Promise.all(
    chosen.map(async (one) => {
      const began = Date.now();
      try {
        await one(browser, one === truth || one === restart ? options : page);
        console.log(`${one.name}: well, ${((Date.now() - began) / 1000).toFixed(1)} s`);
      } catch (error) {
        failed += 1;
        console.error(`${one.name}: ${error.stack ?? error}`);
      }
    }),
  );
});
await rm(dir, { recursive: true, force: true });
process.exitCode = failed === 0 ? 0 : 1;
