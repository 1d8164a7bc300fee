/** The points of a chart, asked of the API: by a value, or by days put together to periods. */
import { get } from "../within";
import type { Entity, Schema } from "../schema/types";
import { counted, fieldAt, figureOf, selected, type Figure } from "./query";
import { startOf, step, STEPS, type Period } from "./periods";

export interface Point {
  /** A value of the field, or the first day of a period; null are rows without. */
  by: string | null;
  value: number;
}

interface Asked {
  entity: string;
  value: string;
  filter: string;
  by: string | null;
  every: Period | null;
  limit: number;
}

/** Days asked for at once; older ones are left out. */
const MOST_DAYS = 2000;

export const isTime = (kind: string | undefined) => kind === "date" || kind === "datetime";

export async function fetchSeries(schema: Schema, asked: Asked, signal: AbortSignal): Promise<Point[]> {
  const entity = schema.entities[asked.entity]!;
  const figure = figureOf(asked.value) ?? { path: "", aggregate: "count" };
  const field = asked.by ? fieldAt(schema, entity, asked.by) : undefined;
  if (asked.by && isTime(field?.kind)) return periods(schema, entity, figure, asked, field!.kind === "datetime", signal);
  const select = [counted(schema, entity, figure, "value"), ...(asked.by ? [selected(schema, entity, asked.by, "by")] : [])];
  const order = asked.by ? `&order=value.desc.nullslast&limit=${asked.limit}` : "";
  return get<Point[]>(`/${entity.name}?select=${select.join(",")}${order}${and(asked.filter)}`, signal);
}

async function periods(schema: Schema, entity: Entity, figure: Figure, asked: Asked, timed: boolean, signal: AbortSignal): Promise<Point[]> {
  const every = asked.every ?? "day";
  // an average of averages is none: sums and counts are put together instead
  const average = figure.aggregate === "avg";
  const select = [
    counted(schema, entity, average ? { ...figure, aggregate: "sum" } : figure, "value"),
    ...(average ? [counted(schema, entity, { ...figure, aggregate: "count" }, "weight")] : []),
    `by:${asked.by}${timed ? "::date" : ""}`,
  ];
  // times are cut to days, and what is cut cannot be sorted by
  const order = timed ? "" : `&order=${asked.by}.desc`;
  const rows = await get<{ by: string | null; value: number | null; weight?: number }[]>(
    `/${entity.name}?select=${select.join(",")}&${asked.by}=not.is.null${order}&limit=${MOST_DAYS}${and(asked.filter)}`,
    signal,
  );
  const found = new Map<string, { value: number; weight: number }>();
  for (const { by, value, weight } of rows) {
    if (by === null || value === null) continue;
    const start = startOf(by, every);
    const held = found.get(start);
    found.set(start, { value: held ? joined(figure, held.value, value) : value, weight: (held?.weight ?? 0) + (weight ?? 1) });
  }
  const starts = [...found.keys()].sort();
  if (starts.length === 0) return [];
  const last = starts.at(-1)!;
  const first = [starts[0]!, step(last, every, 1 - STEPS[every])].sort().at(-1)!;
  const points: Point[] = [];
  for (let start = first; start <= last; start = step(start, every, 1)) {
    const held = found.get(start);
    if (held) points.push({ by: start, value: average ? held.value / held.weight : held.value });
    else if (figure.aggregate === "sum" || figure.aggregate === "count") points.push({ by: start, value: 0 });
  }
  return points;
}

function joined(figure: Figure, one: number, other: number): number {
  if (figure.aggregate === "min") return Math.min(one, other);
  if (figure.aggregate === "max") return Math.max(one, other);
  return one + other;
}

export function and(filter: string): string {
  return filter ? `&${filter}` : "";
}
