// One component for each type of panel that the dashboard may use.
import { VizOrientation, formattedValueToString, getDisplayValueAlignmentFactors, getFieldDisplayValues, getValueFormat } from '@grafana/data';
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
    const unit = panel.fieldConfig.overrides.find(({ matcher }) => matcher.options === name)?.properties.find(({ id }) => id === 'unit')?.value;
    const shown = formattedValueToString(getValueFormat(unit ?? 'short')(value.values.at(-1), 2));
    rows.set(key, { ...rows.get(key), ...value.labels, [name]: shown });
  }
  labels.sort((a, b) => (indexByName[a] ?? 99) - (indexByName[b] ?? 99));
  const columns = [...labels, ...panel.targets.map(({ refId }) => renameByName[`Value #${refId}`] ?? refId)];
  const cell = { padding: '5px 10px', textAlign: 'left', borderBottom: `1px solid ${theme.colors.border.weak}` };
  return (
    <table style={{ width: '100%', borderCollapse: 'collapse', ...theme.typography.bodySmall }}>
      <thead><tr>{columns.map((column) => <th key={column} style={{ ...cell, color: theme.colors.text.secondary }}>{column}</th>)}</tr></thead>
      <tbody>
        {[...rows].map(([key, row]) => (
          <tr key={key}>{columns.map((column) => <td key={column} style={cell}>{row[column] ?? panel.fieldConfig.defaults.noValue}</td>)}</tr>
        ))}
      </tbody>
    </table>
  );
}

/** Cells between the bounds of buckets: Grafana's own is no part of its packages. */
function Heat({ frames, range, width, height }) {
  const theme = useTheme2();
  const rows = frames.filter((one) => one.fields[1].values.some((value) => value > 0));
  const most = Math.max(...rows.flatMap((one) => one.fields[1].values));
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const [left, bottom] = [60, 20];
  const cell = { w: (width - left) / Math.max(1, ...rows.map((one) => one.fields[0].values.length)), h: (height - bottom) / Math.max(1, rows.length) };
  const text = { fill: theme.colors.text.secondary, fontSize: 11 };
  return (
    <svg width={width} height={height}>
      {rows.map((one, row) => {
        const y = (rows.length - 1 - row) * cell.h;
        return [
          <text key={row} x={left - 8} y={y + 12} textAnchor="end" style={text}>{formattedValueToString(getValueFormat('s')(Number(one.fields[1].labels.le)))}</text>,
          ...one.fields[1].values.map((value, at) => value > 0 && (
            <rect key={`${row} ${at}`} x={left + ((one.fields[0].values[at] - from) / (to - from)) * (width - left) - cell.w} y={y} width={cell.w} height={cell.h - 1} fill={`hsl(${240 - 240 * Math.sqrt(value / most)} 80% 50%)`} />
          )),
        ];
      })}
    </svg>
  );
}

/** By the name of the type in the dashboard. */
export const VISUALS = { timeseries: Lines, stat: Stat, bargauge: Bars, table: Table, heatmap: Heat };
