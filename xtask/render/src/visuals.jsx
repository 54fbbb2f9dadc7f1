// One component for each type of panel that the dashboard may use.
import { DataFrameType, VizOrientation, dateTimeFormat, formattedValueToString, getDisplayValueAlignmentFactors, getFieldDisplayValues, getValueFormat } from '@grafana/data';
import { BarGauge, BigValue, BigValueTextMode, TimeSeries, VizRepeater, useTheme2 } from '@grafana/ui';
import { fieldConfigOf } from './fields.js';

function Lines({ panel, frames, range, width, height }) {
  const legend = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [], ...panel.options?.legend };
  return <TimeSeries frames={frames} timeRange={range} timeZone="utc" width={width} height={height} legend={legend} />;
}

/** The panels of single values: each series reduced to one. */
function Values({ panel, frames, width, height, children }) {
  const theme = useTheme2();
  const reduceOptions = { calcs: ['lastNotNull'], values: false, ...panel.options?.reduceOptions };
  const values = () =>
    getFieldDisplayValues({
      data: frames,
      fieldConfig: fieldConfigOf(panel),
      reduceOptions,
      replaceVariables: (text) => text,
      sparkline: panel.options?.graphMode !== 'none',
      theme,
      timeZone: 'utc',
    });
  return (
    <VizRepeater
      source={frames}
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderCounter={0}
      width={width}
      height={height}
      orientation={panel.options?.orientation ?? VizOrientation.Auto}
      autoGrid={panel.type === 'stat'}
      itemSpacing={8}
      minVizHeight={16}
      renderValue={(props) => children(props, theme)}
    />
  );
}

function Stat(props) {
  const { graphMode = 'area', colorMode = 'value', justifyMode = 'auto', textMode = BigValueTextMode.Auto } = props.panel.options ?? {};
  return (
    <Values {...props}>
      {({ value, width, height, alignmentFactors, count }, theme) => (
        <BigValue
          theme={theme}
          value={value.display}
          sparkline={value.sparkline}
          count={count}
          {...{ width, height, alignmentFactors, graphMode, colorMode, justifyMode, textMode }}
        />
      )}
    </Values>
  );
}

function Bars(props) {
  const { displayMode = 'gradient', showUnfilled = true, valueMode, namePlacement } = props.panel.options ?? {};
  return (
    <Values {...props}>
      {({ value, width, height, orientation, alignmentFactors }, theme) => (
        <BarGauge
          theme={theme}
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)}
          valueDisplayMode={valueMode}
          {...{ width, height, orientation, alignmentFactors, displayMode, showUnfilled, namePlacement }}
        />
      )}
    </Values>
  );
}

/** The rows that the targets of a table make when they are merged, in the columns that `organize` leaves. */
function Table({ panel, frames }) {
  const theme = useTheme2();
  const { renameByName = {}, indexByName = {} } = panel.transformations?.find(({ id }) => id === 'organize')?.options ?? {};
  const rows = new Map();
  const labels = [];
  for (const { refId, fields } of frames) {
    const [, value] = fields;
    Object.keys(value.labels).filter((label) => !labels.includes(label)).forEach((label) => labels.push(label));
    const key = JSON.stringify(Object.entries(value.labels).sort());
    const name = renameByName[`Value #${refId}`] ?? refId;
    const properties = panel.fieldConfig.overrides.find(({ matcher }) => matcher.options === name)?.properties ?? [];
    const option = (wanted) => properties.find(({ id }) => id === wanted)?.value;
    const last = value.values.at(-1);
    const shown = formattedValueToString(getValueFormat(option('unit') ?? 'short')(last, option('decimals')));
    const { order, ...row } = rows.get(key) ?? {};
    const its = Object.fromEntries(Object.entries(value.labels).map(([label, text]) => [renameByName[label] ?? label, text]));
    rows.set(key, { ...row, ...its, [name]: shown, order: { ...order, [name]: last } });
  }
  const sort = panel.options?.sortBy?.[0];
  const above = (a, b) => (sort ? (sort.desc ? -1 : 1) * ((a.order[sort.displayName] ?? 0) - (b.order[sort.displayName] ?? 0)) : 0);
  labels.sort((a, b) => (indexByName[a] ?? 99) - (indexByName[b] ?? 99));
  const named = (label) => renameByName[label] ?? label;
  const columns = [...labels.map(named), ...panel.targets.map(({ refId }) => renameByName[`Value #${refId}`] ?? refId)];
  const cell = { padding: '5px 10px', textAlign: 'left', borderBottom: `1px solid ${theme.colors.border.weak}` };
  return (
    <table style={{ width: '100%', borderCollapse: 'collapse', ...theme.typography.bodySmall }}>
      <thead><tr>{columns.map((column) => <th key={column} style={{ ...cell, color: theme.colors.text.secondary }}>{column}</th>)}</tr></thead>
      <tbody>
        {[...rows].sort(([, a], [, b]) => above(a, b)).map(([key, row]) => (
          <tr key={key}>{columns.map((column) => <td key={column} style={cell}>{row[column] ?? panel.fieldConfig.defaults.noValue}</td>)}</tr>
        ))}
      </tbody>
    </table>
  );
}

/** A heatmap's cells, from 0 at the bottom to 1 at the top, and what is written beside them. */
function heat(frames) {
  const native = frames.find(({ meta }) => meta?.type === DataFrameType.HeatmapCells);
  if (native) {
    const [x, low, high, count] = native.fields.map(({ values }) => values);
    const there = count.map((_, at) => at).filter((at) => count[at] > 0 && low[at] > 0);
    const [least, most] = [Math.min(...there.map((at) => low[at])), Math.max(...there.map((at) => high[at]))];
    // Native buckets grow by a factor, and so does their axis.
    const up = (value) => Math.log(value / least) / Math.log(most / least);
    const powers = [0.001, 0.01, 0.1, 1, 10, 100].flatMap((power) => [1, 2, 5].map((digit) => digit * power));
    const ticks = powers.filter((value) => value >= least && value <= most).map((value) => ({ y: up(value), value }));
    return { ticks, cells: there.map((at) => ({ x: x[at], low: up(low[at]), high: up(high[at]), value: count[at] })) };
  }
  const rows = frames.filter(({ fields }) => fields[1].values.some((value) => value > 0));
  const ticks = rows.map(({ fields }, row) => ({ y: (row + 1) / rows.length, value: Number(fields[1].labels.le) }));
  const cells = rows.flatMap(({ fields: [time, { values }] }, row) =>
    values.map((value, at) => ({ x: time.values[at], low: row / rows.length, high: (row + 1) / rows.length, value }))
  );
  return { ticks, cells: cells.filter(({ value }) => value > 0) };
}

/** Steps of the time axis, in seconds; the least that leaves room for its labels is taken. */
const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** Cells between the bounds of buckets: Grafana's own panel is no part of its packages. */
function Heat({ frames, range, width, height }) {
  const theme = useTheme2();
  const { ticks, cells } = heat(frames);
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const [left, top, bottom] = [60, 8, 24];
  const inner = { width: width - left, height: height - top - bottom };
  const across = (time) => left + ((time - from) / (to - from)) * inner.width;
  const down = (share) => top + (1 - share) * inner.height;
  const times = [...new Set(cells.map(({ x }) => x))].sort((a, b) => a - b);
  const wide = Math.min(...times.slice(1).map((time, at) => across(time) - across(times[at])), inner.width);
  const most = Math.max(...cells.map(({ value }) => value));
  const step = 1000 * (STEPS.find((seconds) => across(from + seconds * 1000) - left > 80) ?? STEPS.at(-1));
  const first = Math.ceil(from / step) * step;
  const hours = Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, at) => first + at * step);
  const text = { fill: theme.colors.text.secondary, fontSize: 11 };
  return (
    <svg width={width} height={height}>
      {ticks.map(({ y, value }) => (
        <text key={value} x={left - 8} y={down(y) + 8} textAnchor="end" style={text}>{formattedValueToString(getValueFormat('s')(value))}</text>
      ))}
      {hours.map((time) => (
        <text key={time} x={Math.min(across(time), width - 26)} y={height - 6} textAnchor="middle" style={text}>{dateTimeFormat(time, { format: step < 60_000 ? 'HH:mm:ss' : 'HH:mm', timeZone: 'utc' })}</text>
      ))}
      {cells.map(({ x, low, high, value }) => (
        <rect key={`${x} ${low}`} x={Math.max(left, across(x) - wide)} y={down(high)} width={wide} height={Math.max(1, down(low) - down(high) - 1)} fill={`hsl(${240 - 240 * Math.sqrt(value / most)} 80% 50%)`} />
      ))}
    </svg>
  );
}

/** By the name of the type in the dashboard. */
export const VISUALS = { timeseries: Lines, stat: Stat, bargauge: Bars, table: Table, heatmap: Heat };
