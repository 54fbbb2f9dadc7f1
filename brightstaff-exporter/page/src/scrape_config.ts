/** What Prometheus is told to scrape what this page shows. */
import { byId, write } from './dom';

/** The scrape configuration for metrics at this address. */
export function scrapeConfig(metrics: URL): string {
  const port = metrics.port || (metrics.protocol === 'https:' ? '443' : '80');
  // JSON's strings are YAML's, too.
  return [
    'scrape_configs:',
    '  - job_name: brightstaff',
    ...(metrics.protocol === 'https:' ? ['    scheme: https'] : []),
    ...(metrics.pathname === '/metrics' ? [] : [`    metrics_path: ${JSON.stringify(metrics.pathname)}`]),
    '    static_configs:',
    `      - targets: [${JSON.stringify(`${metrics.hostname}:${port}`)}]`,
    '',
  ].join('\n');
}

export function showScrapeConfig(metrics: URL): void {
  const [code, copy, copied] = [byId('config'), byId('copy'), byId('copied')];
  write(code, scrapeConfig(metrics));
  copy.addEventListener('click', () => {
    void toClipboard(code).then((done) => write(copied, done ? 'Copied' : 'Selected: press Ctrl-C'));
  });
}

/** Browsers give the clipboard to pages of HTTPS and of this machine alone; elsewhere the text is selected. */
async function toClipboard(code: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return false;
  }
}
