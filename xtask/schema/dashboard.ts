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
import type { Options as HeatmapOptions } from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as TableOptions } from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
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
  format?: "time_series" | "table" | "heatmap";
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

/** A panel of one type, with that type's options and fields. */
type Drawn<Type extends string, Options, Custom> = Omit<
  Panel,
  "type" | "options" | "fieldConfig" | "targets"
> & {
  type: Type;
  title: string;
  description: string;
  links: DashboardLink[];
  options: Options;
  targets: PrometheusQuery[];
  fieldConfig: {
    defaults: Omit<FieldConfig, "custom"> & { custom?: Custom };
    overrides: Override[];
  };
};

type Any =
  | Drawn<"timeseries", TimeSeriesOptions, TimeSeriesFieldConfig>
  | Drawn<"stat", StatOptions, never>
  | Drawn<"table", Partial<TableOptions>, { align: string; inspect: boolean }>
  | Drawn<"heatmap", Partial<HeatmapOptions>, object>;

/** What the Prometheus data source asks for annotations. */
interface PrometheusAnnotation {
  name: string;
  enable: boolean;
  hide: boolean;
  iconColor: string;
  datasource: DataSourceRef;
  expr: string;
  step: string;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
}

export type Shipped = Wire<
  Omit<Dashboard, "panels" | "annotations"> & {
    panels: (Any | RowPanel)[];
    annotations: { list: PrometheusAnnotation[] };
  }
>;
