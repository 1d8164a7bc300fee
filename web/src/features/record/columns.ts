/** All that a person may see of a row. */
import { columnOf, possibleColumns, type Column } from "@/lib/rows/columns";
import type { Entity, Schema } from "@/lib/schema/types";

export function allColumns(schema: Schema, entity: Entity): Column[] {
  return possibleColumns(entity)
    .map((path) => columnOf(schema, entity, path))
    .filter((column): column is Column => column !== undefined);
}
