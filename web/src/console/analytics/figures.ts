/** The charts there are, and the points of each: of one tenant its several values, of several tenants one of each. */
import { askSeries, moments, momentLabel, type Point, type Range, type Step } from "../parts/series";
import type { Moment } from "@/components/charts/Lines";

export type Unit = "number" | "bytes" | "milliseconds";

export interface Figure {
  /** Of `metrics/NAME`. */
  metric: "requests" | "latency" | "storage" | "active_users" | "egress";
  /** Keys of the points; the first stands for the figure where tenants are compared. */
  values: string[];
  unit: Unit;
  /** What a step is worth that nobody said anything of: sums are 0, levels are unknown. */
  empty: 0 | null;
}

export const FIGURES: Record<string, Figure> = {
  requests: { metric: "requests", values: ["requests", "refusals"], unit: "number", empty: 0 },
  errors: { metric: "requests", values: ["errors"], unit: "number", empty: 0 },
  latency: { metric: "latency", values: ["p95", "p50", "p99"], unit: "milliseconds", empty: null },
  active_users: { metric: "active_users", values: ["value"], unit: "number", empty: 0 },
  storage: { metric: "storage", values: ["value"], unit: "bytes", empty: null },
  egress: { metric: "egress", values: ["value"], unit: "bytes", empty: 0 },
};

export interface Drawn {
  step: Step;
  at: number[];
  points: Moment[];
}

/** Ask for a figure; `tenants` with more than one name: a value of each by its slug. */
export async function askFigure(figure: Figure, range: Range, tenants: string[], language: string, signal: AbortSignal): Promise<Drawn> {
  const asked = tenants.length > 1 ? tenants : [tenants[0] ?? ""];
  const answers = await Promise.all(asked.map((tenant) => askSeries(figure.metric, range, tenant, signal)));
  const step = answers[0]!.step;
  const found = answers.map(({ points }) => new Map(points.map((point) => [new Date(point.at).getTime(), point])));
  const value = (point: Point | undefined, name: string) => (point === undefined ? figure.empty : Number(point[name]));
  const at = moments({ ...range, step });
  return {
    step,
    at,
    points: at.map((moment) => ({
      label: momentLabel(moment, step, language),
      values:
        tenants.length > 1
          ? Object.fromEntries(tenants.map((tenant, number) => [tenant, value(found[number]!.get(moment), figure.values[0]!)]))
          : Object.fromEntries(figure.values.map((name) => [name, value(found[0]!.get(moment), name)])),
    })),
  };
}
