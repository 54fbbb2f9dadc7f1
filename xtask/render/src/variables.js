// The dashboard's variables: their values from Prometheus, and their places in expressions and texts.
import { rangeUtil } from '@grafana/data';
import { escapeRegExp } from 'lodash';
import { labelValues } from './prometheus.js';

const LABEL_VALUES = /^label_values\(\s*(?:(.+?)\s*,\s*)?([a-zA-Z_]\w*)\s*\)$/s;

/** Every variable with what it stands for in a PromQL expression and on the screen. */
export async function resolve(dashboard, base, range) {
  const variables = {};
  for (const variable of dashboard.templating?.list ?? []) {
    variables[variable.name] = await one(variable, base, range, variables);
  }
  return variables;
}

async function one(variable, base, range, before) {
  const label = variable.label || variable.name;
  const hidden = variable.hide === 2;
  switch (variable.type) {
    case 'datasource':
      return { label, hidden, text: 'Prometheus', promql: 'prometheus' };
    case 'query': {
      const text = typeof variable.query === 'string' ? variable.query : variable.query.query;
      const parts = LABEL_VALUES.exec(interpolate(text, before));
      if (!parts) {
        throw new Error(`variable ${variable.name}: only label_values(…) is understood, not ${text}`);
      }
      const options = await labelValues(base, parts[2], parts[1], range);
      if (options.length === 0) {
        throw new Error(`variable ${variable.name}: ${text} has no value`);
      }
      return { label, hidden, ...choose(variable, options) };
    }
    case 'custom':
    case 'interval':
      return { label, hidden, ...choose(variable, variable.query.split(',').map((value) => value.trim())) };
    case 'constant':
    case 'textbox':
      return { label, hidden, text: variable.query, promql: variable.query };
    default:
      throw new Error(`variable ${variable.name}: type ${variable.type} is not understood`);
  }
}

/** What Grafana chooses on first load: All where there is one, else the first option. */
function choose(variable, options) {
  if (variable.includeAll) {
    const all = variable.allValue || `(${options.map(escape).join('|')})`;
    return { text: 'All', promql: all, options };
  }
  const first = options[0];
  return { text: first, promql: variable.multi ? escape(first) : first, options };
}

/** Regex-escaped for a PromQL string, in which a backslash is written twice. */
const escape = (value) => escapeRegExp(value).replaceAll('\\', '\\\\');

/** What Grafana computes for each panel from its width and the scrape interval. */
export function builtins(range, width, target, panel, scrape) {
  const seconds = range.to - range.from;
  const least = rangeUtil.intervalToSeconds((target.interval || panel.interval || `${scrape}s`).replace('>', ''));
  const wanted = rangeUtil.roundInterval((seconds * 1000) / (panel.maxDataPoints || width)) / 1000;
  const step = Math.max(wanted, least, 1);
  const text = (value) => ({ text: value, promql: value });
  return {
    step,
    variables: {
      __interval: text(`${step}s`),
      __interval_ms: text(`${step * 1000}`),
      __rate_interval: text(`${Math.max(step + least, 4 * least)}s`),
      __range: text(`${seconds}s`),
      __range_s: text(`${seconds}`),
      __range_ms: text(`${seconds * 1000}`),
    },
  };
}

/** Fills in `$name`, `${name}` and `${name:format}`. */
export function interpolate(text, variables) {
  return text.replace(/\$(?:\{(\w+)(?::[\w]+)?\}|(\w+))/g, (whole, braced, plain) => variables[braced ?? plain]?.promql ?? whole);
}
