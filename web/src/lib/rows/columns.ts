/** Columns of lists: what a path such as `customer.name` or `customer_id` means, and what to ask the API for. */
import type { Entity, Field, Schema } from "../schema/types";
import { fieldTitle, readable } from "../schema/words";

export type Row = Record<string, unknown>;

export interface Column {
  path: string;
  /** What the cell shows. */
  field: Field;
  /** For a row that a foreign key points to. */
  relation?: { name: string; field: Field; target: Entity };
}

/** Return the column of a path, undefined when the caller sees no such thing. */
export function columnOf(schema: Schema, entity: Entity, path: string): Column | undefined {
  const [first, second] = path.split(".") as [string, string | undefined];
  if (second !== undefined) {
    const key = Object.values(entity.fields).find((field) => field.references?.relation === first);
    const target = key && schema.entities[key.references!.entity];
    const field = target?.fields[second];
    return key && target && field ? { path, field, relation: { name: first, field: key, target } } : undefined;
  }
  const field = entity.fields[path];
  if (field === undefined || field.write_only) return undefined;
  const target = field.references && schema.entities[field.references.entity];
  return target ? { path, field, relation: { name: field.references!.relation, field, target } } : { path, field };
}

export function columnTitle(column: Column, language: string): string {
  const { field, relation } = column;
  if (relation === undefined || !column.path.includes(".")) return fieldTitle(field, language);
  const holder = fieldTitle(relation.field, language);
  return field.name === relation.target.label ? holder : `${holder}: ${fieldTitle(field, language).toLocaleLowerCase(language)}`;
}

/** Columns a list shows when the file has no view: what says most, first. */
export function defaultColumns(schema: Schema, entity: Entity): string[] {
  const quiet = new Set(["json", "array", "file"]);
  const own = Object.values(entity.fields).filter(
    (field) => field.generated !== "managed" && field.name !== entity.key && !field.write_only && !quiet.has(field.kind) && field.schema.format !== "richtext",
  );
  const names = own.map((field) => field.name).filter((name) => columnOf(schema, entity, name));
  const label = entity.label && names.includes(entity.label) ? [entity.label] : [];
  const found = [...label, ...names.filter((name) => name !== entity.label)].slice(0, 6);
  return found.length > 0 ? found : [entity.key];
}

/** Paths a person may choose from: fields, and the labels of rows that are pointed to. */
export function possibleColumns(entity: Entity): string[] {
  return Object.values(entity.fields)
    .filter((field) => !field.write_only && field.name !== "row_version" && field.name !== "deleted_at")
    .map((field) => field.name);
}

/** `select=` for columns; the key and the version come along. */
export function selectOf(entity: Entity, columns: Column[], more: string[] = []): string {
  const parts = new Set([entity.key, ...more]);
  if (entity.fields["row_version"]) parts.add("row_version");
  const embedded = new Map<string, { key: Field; fields: Set<string> }>();
  for (const { path, field, relation } of columns) {
    if (relation === undefined) {
      parts.add(field.name);
      continue;
    }
    const { target, name } = relation;
    parts.add(relation.field.name);
    const held = embedded.get(name) ?? { key: relation.field, fields: new Set([target.key, ...(target.label ? [target.label] : [])]) };
    if (path.includes(".")) held.fields.add(field.name);
    embedded.set(name, held);
  }
  for (const [name, { key, fields }] of embedded)
    parts.add(`${name}:${key.references!.entity}!${key.name}(${[...fields].join(",")})`);
  return [...parts].join(",");
}

/** What a cell shows: the value, or that of the row pointed to. */
export function valueOf(row: Row, column: Column): unknown {
  const { relation } = column;
  if (relation === undefined) return row[column.field.name];
  const other = row[relation.name] as Row | null | undefined;
  if (column.path.includes(".")) return other?.[column.field.name];
  return other == null ? row[column.field.name] : labelOf(other, relation.target);
}

/** How a row is called: its label, else what tells it apart. */
export function labelOf(row: Row, entity: Entity): string {
  const label = entity.label ? row[entity.label] : undefined;
  return label == null || label === "" ? `${readable(entity.name)} ${String(row[entity.key] ?? "").slice(-6)}` : String(label);
}

/** `order=` of one path: relations sort by what is shown of them. */
export function orderOf(schema: Schema, entity: Entity, sort: string): string | undefined {
  const down = sort.startsWith("-");
  const path = sort.replace(/^-/, "");
  const column = columnOf(schema, entity, path);
  if (column === undefined) return undefined;
  const { relation } = column;
  const way = down ? "desc.nullslast" : "asc.nullslast";
  if (relation === undefined) return `${column.field.name}.${way}`;
  const leaf = path.includes(".") ? column.field.name : (relation.target.label ?? relation.target.key);
  return `${relation.name}(${leaf}).${way}`;
}
