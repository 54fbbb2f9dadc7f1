// The dashboard: head, rows and panels on Grafana's grid.
import { ThemeContext, createTheme } from '@grafana/data';
import { GlobalStyles } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { Panel } from './panel.jsx';
import { resolve } from './variables.js';

// Grafana's own measures: 24 columns, units of 30 pixels, 8 pixels between.
const CELL = 30;
const GAP = 8;
const PAGE = { width: 1800, head: 56, margin: 16 };
const column = (PAGE.width - 2 * PAGE.margin - 23 * GAP) / 24;
const span = (units, size) => units * size + (units - 1) * GAP;

function place({ x, y, w, h }) {
  return { left: x * (column + GAP), top: y * (CELL + GAP), width: span(w, column), height: span(h, CELL) };
}

function Head({ dashboard, variables, theme }) {
  const text = { color: theme.colors.text.primary, ...theme.typography.h4, margin: 0, marginRight: 24 };
  const pill = {
    border: `1px solid ${theme.colors.border.medium}`,
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.primary,
    padding: '4px 10px',
  };
  return (
    <header style={{ display: 'flex', gap: 8, alignItems: 'center', height: PAGE.head }}>
      <h1 style={text}>{dashboard.title}</h1>
      {Object.entries(variables)
        .filter(([, variable]) => !variable.hidden)
        .map(([name, { label, text: value }]) => (
          <span key={name} style={pill}>
            <span style={{ color: theme.colors.text.secondary }}>{label}</span> {value}
          </span>
        ))}
    </header>
  );
}

function Dashboard({ dashboard, variables, options, theme }) {
  // A collapsed row keeps its panels inside.
  const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <main style={{ width: PAGE.width, padding: `0 ${PAGE.margin}px ${PAGE.margin}px`, boxSizing: 'border-box' }}>
        <Head {...{ dashboard, variables, theme }} />
        <div style={{ position: 'relative', height: bottom * (CELL + GAP) }}>
          {panels.map((panel) => {
            const { width, height, ...at } = place(panel.gridPos);
            return (
              <div key={panel.id} style={{ position: 'absolute', ...at, width, height }}>
                {panel.type === 'row' ? (
                  <h2 style={{ ...theme.typography.h5, lineHeight: `${height}px`, margin: 0 }}>⌄ {panel.title}</h2>
                ) : (
                  <Panel {...{ panel, width, height, variables }} {...options} />
                )}
              </div>
            );
          })}
        </div>
      </main>
    </ThemeContext.Provider>
  );
}

/** Called by the driver, once: `options` are `{ base, range: { from, to }, scrape }`. */
window.draw = async (dashboard, options) => {
  const theme = createTheme({ colors: { mode: 'dark' } });
  document.body.style.background = theme.colors.background.canvas;
  const variables = await resolve(dashboard, options.base, options.range);
  createRoot(document.getElementById('root')).render(<Dashboard {...{ dashboard, variables, options, theme }} />);
  return Object.fromEntries(Object.entries(variables).map(([name, { text, options: all }]) => [name, { text, options: all }]));
};
