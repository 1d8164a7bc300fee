/** Figures of the file ("net.sum()", by "customer.name") as the API's `select` writes them. */
import type { Entity, Field, Schema } from "../schema/types";

export interface Figure {
  /** What is counted or summed; "" is the row itself. */
  path: string;
  aggregate: "count" | "sum" | "avg" | "min" | "max";
}

/** Read "net.sum()" or "count()"; a bare field is no figure. */
export function figureOf(text: string): Figure | undefined {
  const found = /^(?:(.+)\.)?(count|sum|avg|min|max)\(\)$/.exec(text);
  return found ? { path: found[1] ?? "", aggregate: found[2] as Figure["aggregate"] } : undefined;
}

/** The field a path leads to: "status", or "customer.name" along foreign keys. */
export function fieldAt(schema: Schema, entity: Entity, path: string): Field | undefined {
  const [first = "", ...rest] = path.split(".");
  if (rest.length === 0) return entity.fields[first];
  const target = schema.entities[keyOf(entity, first)?.references?.entity ?? ""];
  return target && fieldAt(schema, target, rest.join("."));
}

export function keyOf(entity: Entity, relation: string): Field | undefined {
  return Object.values(entity.fields).find((field) => field.references?.relation === relation);
}

/** Select a path under a name of ours; what a foreign key points to is spread beside it. */
export function selected(schema: Schema, entity: Entity, path: string, as: string, rest = ""): string {
  const [first = "", second] = path.split(".");
  const key = second === undefined ? entity.fields[first] : keyOf(entity, first);
  const leaf = second ?? (rest === "" ? key?.references?.label : undefined);
  if (!key?.references || !leaf || !schema.entities[key.references.entity]) return `${as}:${path}${rest}`;
  return `...${key.references.entity}!${key.name}(${as}:${leaf}${rest})`;
}

/** Select a figure under a name of ours. */
export function counted(schema: Schema, entity: Entity, { path, aggregate }: Figure, as: string): string {
  return path === "" ? `${as}:${aggregate}()` : selected(schema, entity, path, as, `.${aggregate}()`);
}
