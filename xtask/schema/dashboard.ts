// What a dashboard file may say: Grafana's own types, as they are in JSON, and nothing beside them.

import type {
  Dashboard,
  DashboardLink,
  DataQuery,
  DataSourceRef,
  FieldConfig,
  Panel,
  RowPanel,
} from "@grafana/schema";
import type {
  FieldConfig as TimeSeriesFieldConfig,
  Options as TimeSeriesOptions,
} from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

/** A type as it is in JSON: an enum of strings is one of the strings. */
type Wire<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends number | boolean | null | undefined
      ? T
      : T extends (infer U)[]
        ? Wire<U>[]
        : { [K in keyof T]: Wire<T[K]> };

/** What the Prometheus data source adds to a query. Its own package is not public. */
interface PrometheusQuery extends DataQuery {
  datasource: DataSourceRef;
  editorMode: "code" | "builder";
  exemplar: boolean;
  expr: string;
  instant: boolean;
  legendFormat: string;
  range: boolean;
}

/** The names that overrides set are those of a field's configuration. */
type Property =
  | keyof Omit<FieldConfig, "custom">
  | `custom.${Extract<keyof TimeSeriesFieldConfig, string>}`;

interface Override {
  matcher: { id: "byFrameRefID" | "byName"; options: string };
  properties: { id: Property; value: unknown }[];
}

type TimeSeries = Omit<Panel, "type" | "options" | "fieldConfig" | "targets"> & {
  type: "timeseries";
  title: string;
  description: string;
  links: DashboardLink[];
  options: TimeSeriesOptions;
  targets: PrometheusQuery[];
  fieldConfig: {
    defaults: Omit<FieldConfig, "custom"> & { custom: TimeSeriesFieldConfig };
    overrides: Override[];
  };
};

export type Shipped = Wire<
  Omit<Dashboard, "panels"> & { panels: (TimeSeries | RowPanel)[] }
>;
