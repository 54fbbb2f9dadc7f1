// node render.mjs DASHBOARD.json PROMETHEUS_URL PICTURE.png [--from SECONDS] [--to SECONDS] [--scrape SECONDS]
// Builds the page, serves it on loopback, draws the dashboard in headless Chromium, takes the
// picture, and fails when a panel has no data, an error or a legend that nobody can read.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as esbuild from 'esbuild';
import { chromium } from 'playwright-core';
import { verdict } from './src/verdict.js';

const now = Math.floor(Date.now() / 1000);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string', default: `${now - 3600}` },
    to: { type: 'string', default: `${now}` },
    scrape: { type: 'string', default: '15' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
});
const [dashboardPath, base, picture] = positionals;
const here = path.dirname(fileURLToPath(import.meta.url));
const site = path.join(here, 'site');

/** The page, Grafana's icons and its font, all from the packages. */
async function build() {
  await mkdir(path.join(site, 'public/fonts/inter'), { recursive: true });
  await cp(path.join(here, 'node_modules/@grafana/ui/dist/public/img/icons'), path.join(site, 'public/build/img/icons'), { recursive: true });
  for (const [weight, name] of [[400, 'Regular'], [500, 'Medium']]) {
    const font = path.join(here, `node_modules/@fontsource/inter/files/inter-latin-${weight}-normal.woff2`);
    await cp(font, path.join(site, `public/fonts/inter/Inter-${name}.woff2`));
  }
  await writeFile(path.join(site, 'index.html'), '<!doctype html><meta charset="utf-8"><title>Dashboard</title><style>body { margin: 0 }</style><link rel="stylesheet" href="main.css"><div id="root"></div><script src="main.js"></script>');
  return esbuild.context({
    entryPoints: [path.join(here, 'src/main.jsx')],
    outdir: site,
    bundle: true,
    minify: true,
    jsx: 'automatic',
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.svg': 'dataurl', '.ttf': 'empty', '.woff2': 'empty' },
  });
}

async function main() {
  const dashboard = JSON.parse(await readFile(dashboardPath, 'utf8'));
  const page = await build();
  await page.rebuild();
  const { port } = await page.serve({ host: '127.0.0.1', port: 0, servedir: site });
  const profile = await mkdtemp(path.join(tmpdir(), 'brightstaff-render-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: values.chromium,
    viewport: { width: 1800, height: 1200 },
    timezoneId: 'UTC',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    return await draw(browser, `http://127.0.0.1:${port}/`, dashboard);
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
    await page.dispose();
  }
}

async function draw(browser, url, dashboard) {
  const tab = browser.pages()[0] ?? (await browser.newPage());
  const thrown = [];
  tab.on('pageerror', (error) => thrown.push(error.stack ?? error.message));
  await tab.goto(url);
  const options = { base, range: { from: Number(values.from), to: Number(values.to) }, scrape: Number(values.scrape) };
  const variables = await tab.evaluate(([json, how]) => window.draw(json, how), [dashboard, options]);
  for (const [name, { text, options: all }] of Object.entries(variables)) {
    console.log(`variable ${name}: ${text}${all ? ` of ${all.join(', ')}` : ''}`);
  }
  const wanted = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).filter((panel) => panel.type !== 'row').length;
  await tab.waitForFunction((count) => document.querySelectorAll('[data-panel]').length === count && !document.querySelector('[data-state=loading]'), wanted, { timeout: 300_000 }).catch((error) => thrown.push(`not all panels were drawn: ${error.message}`));
  // All of it in sight, since icons below the fold are not fetched, and nothing below it.
  const height = await tab.evaluate(() => document.querySelector('main').offsetHeight);
  await tab.setViewportSize({ width: 1800, height });
  await tab.evaluate(() => document.fonts.ready);
  await tab.waitForLoadState('networkidle');
  await tab.waitForTimeout(500);
  await tab.screenshot({ path: picture, fullPage: true });
  const panels = await tab.evaluate(verdict);
  for (const { title, series, legends, notes, faults } of panels) {
    console.log(`${faults.length ? 'FAULTY' : 'ok    '} ${title}: ${series} series: ${legends.join(' | ')}`);
    [...faults, ...notes.map((note) => `(${note})`)].forEach((line) => console.log(`       ${line}`));
  }
  thrown.forEach((message) => console.log(`the page threw: ${message}`));
  const faulty = panels.filter(({ faults }) => faults.length).length;
  console.log(`${panels.length - faulty} of ${panels.length} panels drawn and readable; picture: ${picture}`);
  return faulty === 0 && thrown.length === 0 && panels.length === wanted;
}

process.exitCode = (await main()) ? 0 : 1;
