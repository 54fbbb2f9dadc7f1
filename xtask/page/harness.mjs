// A browser, servers of made-up metrics, and processes that end with this one.
import { spawn } from 'node:child_process';
import { accessSync, constants, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

/** How long anything may take that takes seconds when the machine is idle. */
export const PATIENCE_MS = 120_000;

export async function withBrowser(program, use) {
  const profile = await mkdtemp(path.join(tmpdir(), 'brightstaff-page-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: program,
    viewport: { width: 1280, height: 900 },
    colorScheme: 'light',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  browser.setDefaultTimeout(PATIENCE_MS);
  try {
    return await use(browser);
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** A tab that remembers what went wrong in it: scripts that threw, what the policy refused, dialogs. */
export async function open(browser, url) {
  const tab = await browser.newPage();
  tab.wrong = [];
  tab.on('pageerror', (error) => tab.wrong.push(error.stack ?? error.message));
  tab.on('dialog', (dialog) => {
    tab.wrong.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  tab.on('console', (message) => {
    // A gateway that is away is logged by the browser itself, and so is a status that is no 2xx.
    if (message.type() === 'error' && !/ERR_|status of|favicon/.test(message.text())) tab.wrong.push(message.text());
  });
  await tab.goto(url);
  return tab;
}

/** Serves the page with its policy at `base`, and what `metrics` gives beside it. */
export async function serve(page, metrics, base = '/') {
  const [html, policy] = await Promise.all([readFile(path.join(page, 'page.html')), readFile(path.join(page, 'page.csp'), 'utf8')]);
  const below = base.endsWith('/') ? base : `${base}/`;
  const server = http.createServer((request, response) => {
    if (request.url === base) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy }).end(html);
    } else if (request.url === `${below}metrics`) {
      const answer = metrics();
      if (typeof answer === 'number') response.writeHead(answer).end();
      else response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(answer);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return { url: `http://127.0.0.1:${port}${base}`, port, close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))) };
}

/** Starts a program that ends with this one, even if that is killed, where `setpriv` is. */
export function start(program, args, log) {
  const out = openSync(log, 'w');
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(executable);
  const [name, all] = setpriv === undefined ? [program, args] : [setpriv, ['--pdeathsig', 'KILL', '--', program, ...args]];
  const child = spawn(name, all, { stdio: ['ignore', out, out] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return { child, gone, kill: () => (child.kill('SIGKILL'), gone) };
}

function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A port that nobody listens on, below those that systems give to clients. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 9_000);
    const server = http.createServer();
    const free = await new Promise((resolve) => server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)));
    if (free) {
      await new Promise((resolve) => server.close(resolve));
      return port;
    }
  }
}

/** Waits until this gives something. */
export async function until(what, give) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const given = await give();
    if (given) return given;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The rows of a table as people see them: each by its columns' titles. */
export function table(tab, caption) {
  return tab.getByRole('table', { name: caption, exact: true }).evaluate((node) => {
    const titles = [...node.querySelectorAll('thead th')].map((cell) => cell.textContent);
    return [...node.querySelectorAll('tbody tr')].map((row) => Object.fromEntries([...row.cells].map((cell, index) => [titles[index], cell.textContent])));
  });
}
