// Asks Prometheus what a panel's targets ask, and answers with Grafana's data frames.
import { DataFrameType, FieldType, createDataFrame, renderLegendFormat } from '@grafana/data';

/** One call of Prometheus' HTTP API; its error, if it has one, is the message. */
async function call(base, path, parameters) {
  const answer = await fetch(`${base}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await answer.json();
  if (body.status !== 'success') {
    throw new Error(`${body.errorType}: ${body.error}`);
  }
  return body.data;
}

/** The values of a label, for a variable. */
export async function labelValues(base, label, selector, range) {
  const parameters = { start: range.from, end: range.to };
  if (selector) {
    parameters['match[]'] = selector;
  }
  return call(base, `label/${label}/values`, parameters);
}

/** The frames of one target: a frame for each series, or one for an instant table. */
export async function query(base, target, expr, range, step) {
  const { result } = target.instant
    ? await call(base, 'query', { query: expr, time: range.to })
    : await call(base, 'query_range', {
        query: expr,
        start: Math.floor(range.from / step) * step,
        end: Math.floor(range.to / step) * step,
        step,
      });
  // A native histogram has its cells in each sample, and is drawn in place of classic buckets.
  const [native, plain] = [result.filter((series) => series.histograms), result.filter((series) => !series.histograms)];
  const frames = plain.map((series) => frame(target, series, step));
  return [...native.map((series) => cells(target, series)), ...(target.format === 'heatmap' ? heatmap(frames) : frames)];
}

/** A frame with a row for each bucket of each sample, as Grafana makes it of a native histogram. */
function cells(target, { histograms }) {
  const rows = histograms.flatMap(([seconds, { buckets = [] }]) => buckets.map(([, low, high, count]) => [seconds * 1000, Number(low), Number(high), Number(count)]));
  const field = (name, type, at) => ({ name, type, config: {}, values: rows.map((row) => row[at]) });
  return createDataFrame({
    refId: target.refId,
    meta: { type: DataFrameType.HeatmapCells },
    fields: [field('xMax', FieldType.time, 0), field('yMin', FieldType.number, 1), field('yMax', FieldType.number, 2), field('count', FieldType.number, 3)],
  });
}

function frame(target, series, step) {
  const { __name__, ...labels } = series.metric;
  const points = series.values ?? [series.value];
  const name = target.legendFormat && target.legendFormat !== '__auto'
    ? renderLegendFormat(target.legendFormat, series.metric)
    : undefined;
  return createDataFrame({
    refId: target.refId,
    fields: [
      {
        name: 'Time',
        type: FieldType.time,
        config: { interval: step * 1000 },
        values: points.map(([seconds]) => seconds * 1000),
      },
      {
        name: 'Value',
        type: FieldType.number,
        config: name ? { displayNameFromDS: name } : {},
        labels,
        values: points.map(([, value]) => Number(value)),
      },
    ],
  });
}

/** Prometheus' buckets hold all that is below them: a heatmap's cell holds what is between two. */
function heatmap(frames) {
  const bound = (one) => Number(one.fields[1].labels.le.replace('+Inf', 'Infinity'));
  const sorted = [...frames].sort((a, b) => bound(a) - bound(b));
  const cumulative = sorted.map((one) => new Map(one.fields[0].values.map((t, i) => [t, one.fields[1].values[i]])));
  sorted.forEach((one, at) => {
    const [time, value] = one.fields;
    value.values = value.values.map((v, i) => Math.max(0, v - (cumulative[at - 1]?.get(time.values[i]) ?? 0)));
  });
  return sorted;
}
