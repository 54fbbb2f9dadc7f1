// The check refuses what Grafana would not understand. Each line under a directive must be an error.

import type { Shipped } from "./dashboard";

type Panel = Extract<Shipped["panels"][number], { type: "timeseries" }>;

// @ts-expect-error: no such property
export const property: Pick<Shipped, "refresh"> = { refresh: "5s", refreshes: "5s" };

// @ts-expect-error: there is no fourth way to hide a variable
export const variable: NonNullable<NonNullable<Shipped["templating"]>["list"]>[number] = { name: "a", type: "query", hide: 4 };

// @ts-expect-error: no such mode
export const tooltip: Panel["options"]["tooltip"] = { mode: "many", sort: "desc" };

// @ts-expect-error: no such option of a line
export const custom: Panel["fieldConfig"]["defaults"]["custom"] = { lineWidht: 1 };

// @ts-expect-error: no such property to override
export const override: Panel["fieldConfig"]["overrides"][number]["properties"][number] = { id: "custom.lineWidht", value: 1 };

// @ts-expect-error: no such mode of thresholds
export const thresholds: Panel["fieldConfig"]["defaults"]["thresholds"] = { mode: "relative", steps: [] };
