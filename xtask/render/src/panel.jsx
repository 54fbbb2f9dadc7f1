// One panel: asks Prometheus, draws the answer in Grafana's frame, and says what became of it.
import { EventBusSrv, dateTime } from '@grafana/data';
import { PanelChrome, PanelContextProvider, useTheme2 } from '@grafana/ui';
import { useEffect, useState } from 'react';
import { configure } from './fields.js';
import { query } from './prometheus.js';
import { builtins, interpolate } from './variables.js';
import { VISUALS } from './visuals.jsx';

const bus = new EventBusSrv();

async function load({ panel, width, range, base, scrape, variables, theme }) {
  if (!VISUALS[panel.type]) {
    throw new Error(`panels of type ${panel.type} cannot be drawn here`);
  }
  const targets = panel.targets.filter((target) => !target.hide);
  const answers = await Promise.all(
    targets.map((target) => {
      const own = builtins(range, width, target, panel, scrape);
      const expr = interpolate(target.expr, { ...variables, ...own.variables });
      return query(base, target, expr, range, own.step);
    })
  );
  const quiet = targets.filter((_, i) => !answers[i].some((frame) => frame.fields.at(-1).values.some(Number.isFinite)));
  return {
    frames: configure(panel, answers.flat(), theme, variables),
    quiet: quiet.map((target) => `${target.refId} (${target.legendFormat})`),
    empty: quiet.length === targets.length,
  };
}

export function Panel(props) {
  const { panel, width, height, range } = props;
  const theme = useTheme2();
  const [state, setState] = useState({ is: 'loading' });
  useEffect(() => {
    load({ ...props, theme }).then(
      ({ frames, quiet, empty }) => setState({ is: empty ? 'empty' : 'drawn', frames, quiet }),
      (error) => setState({ is: 'failed', message: String(error.message ?? error) })
    );
  }, []);
  const Visual = VISUALS[panel.type];
  const timeRange = { from: dateTime(range.from * 1000), to: dateTime(range.to * 1000), raw: { from: 'now-1h', to: 'now' } };
  return (
    <section
      data-panel={panel.title}
      data-state={state.is}
      data-message={state.message}
      data-quiet={state.quiet?.join(', ')}
      data-series={state.frames?.length}
    >
      <PanelContextProvider value={{ eventsScope: 'panel', eventBus: bus }}>
        <PanelChrome width={width} height={height} title={panel.title} description={panel.description} statusMessage={state.message}>
          {(innerWidth, innerHeight) =>
            state.is === 'drawn' ? (
              <Visual panel={panel} frames={state.frames} range={timeRange} width={innerWidth} height={innerHeight} />
            ) : (
              <p style={{ color: theme.colors.text.secondary, textAlign: 'center', paddingTop: innerHeight / 3 }}>
                {state.is === 'loading' ? '…' : (state.message ?? panel.fieldConfig?.defaults?.noValue ?? 'No data')}
              </p>
            )
          }
        </PanelChrome>
      </PanelContextProvider>
    </section>
  );
}
