// node build.mjs SOURCES OUT: checks the types of the live page, and compiles it into one file, page.html, and the policy
// that lets its script and style alone run, page.csp.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as esbuild from 'esbuild';

const [sources, out] = process.argv.slice(2);
const here = import.meta.dirname;

async function compiled(entry) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(sources, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'error',
  });
  const text = outputFiles[0].text.trim();
  // Nothing in it may end the element that it stands in.
  if (/<\/(script|style)|<!--/i.test(text)) throw new Error(`${entry} cannot stand in HTML`);
  return text;
}

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

execFileSync(process.execPath, [path.join(here, 'node_modules/typescript/bin/tsc'), '--project', sources], { stdio: 'inherit' });
const [script, style, html] = await Promise.all([compiled('src/main.ts'), compiled('page.css'), readFile(path.join(sources, 'page.html'), 'utf8')]);
const page = html.replace('<style></style>', () => `<style>${style}</style>`).replace('<script></script>', () => `<script>${script}</script>`);
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
await mkdir(out, { recursive: true });
await Promise.all([writeFile(path.join(out, 'page.html'), page), writeFile(path.join(out, 'page.csp'), policy)]);
