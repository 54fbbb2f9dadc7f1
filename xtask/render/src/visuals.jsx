// One component for each type of panel that the dashboard may use.
import { VizOrientation, getDisplayValueAlignmentFactors, getFieldDisplayValues } from '@grafana/data';
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

/** By the name of the type in the dashboard. */
export const VISUALS = { timeseries: Lines, stat: Stat, bargauge: Bars };
