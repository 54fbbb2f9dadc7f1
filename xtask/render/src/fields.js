// Applies a panel's field configuration to its frames, as Grafana does.
import { FieldConfigOptionsRegistry, applyFieldOverrides, identityOverrideProcessor } from '@grafana/data';
import { defaultsDeep } from 'lodash';
import { interpolate } from './variables.js';

// What Grafana takes where a panel says nothing.
const thresholds = { mode: 'absolute', steps: [{ value: -Infinity, color: 'green' }, { value: 80, color: 'red' }] };
const DEFAULTS = {
  timeseries: {
    color: { mode: 'palette-classic' },
    custom: { drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', showPoints: 'auto', pointSize: 5, spanNulls: false, axisPlacement: 'auto' },
  },
  stat: { color: { mode: 'thresholds' } },
  bargauge: { color: { mode: 'thresholds' } },
};

/** The panel's own field configuration over Grafana's. */
export function fieldConfigOf({ type, fieldConfig }) {
  const { defaults = {}, overrides = [] } = fieldConfig ?? {};
  const filled = defaultsDeep({}, defaults, DEFAULTS[type]);
  return { defaults: { ...filled, thresholds: defaults.thresholds ?? thresholds }, overrides };
}

/** An entry for every option that the panel sets: each is taken as it is. */
function registry({ defaults, overrides }) {
  const { custom = {}, ...standard } = defaults;
  const ids = new Set([
    ...Object.keys(standard),
    ...Object.keys(custom).map((name) => `custom.${name}`),
    ...overrides.flatMap((rule) => rule.properties.map(({ id }) => id)),
  ]);
  const options = [...ids].map((id) => ({
    id,
    path: id.replace('custom.', ''),
    name: id,
    isCustom: id.startsWith('custom.'),
    process: identityOverrideProcessor,
    shouldApply: () => true,
  }));
  return new FieldConfigOptionsRegistry(() => options);
}

/** Frames with units, names, colours, thresholds and the panel's own options on them. */
export function configure(panel, frames, theme, variables) {
  const fieldConfig = fieldConfigOf(panel);
  return applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: registry(fieldConfig),
    replaceVariables: (text) => interpolate(text, variables),
    theme,
    timeZone: 'utc',
  });
}
