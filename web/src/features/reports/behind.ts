/** The way from a group to its rows: the report's conditions and the group's values as filters of the list. */
import { get } from "@/lib/api/client";
import { fieldAt, keyOf } from "@/lib/figures/query";
import { parameterOf, written, type Filter, type Operator } from "@/lib/rows/filters";
import type { Entity, Schema } from "@/lib/schema/types";
import type { Made, ReportColumn, Row } from "./report";

/** Rows of another entity that may have the same name. */
const MOST = 100;
const COMPARED = new Set(["eq", "neq", "gt", "gte", "lt", "lte"]);

/** The report's conditions as a list's filters; undefined when one says more than those can. */
export function conditionsOf(entity: Entity, filter: string): Filter[] | undefined {
  const found: Filter[] = [];
  for (const part of filter.split("&").filter(Boolean)) {
    const [name = "", ...rest] = part.split("=");
    const one = conditionOf(entity, name, decodeURIComponent(rest.join("=").replace(/\+/g, " ")));
    if (one === undefined) return undefined;
    found.push(one);
  }
  return found;
}

function conditionOf(entity: Entity, name: string, text: string): Filter | undefined {
  const field = entity.fields[name];
  if (field === undefined) return undefined;
  if (text === "is.null" || text === "not.is.null") return { field: name, operator: text === "is.null" ? "empty" : "filled", value: [] };
  const [operator = "", ...rest] = text.split(".");
  const value = rest.join(".");
  if (operator === "is" && (value === "true" || value === "false")) return { field: name, operator: "eq", value: [value] };
  if (operator === "in") return { field: name, operator: "in", value: listed(value) };
  if (operator === "ilike" && /^\*[^*%_]+\*$/.test(value)) return { field: name, operator: "has", value: [value.slice(1, -1)] };
  if (!COMPARED.has(operator)) return undefined;
  const chosen = operator === "eq" && (field.references || field.schema.enum);
  return { field: name, operator: chosen ? "in" : (operator as Operator), value: [value] };
}

/** The words of `(a,"b,c")`. */
function listed(text: string): string[] {
  return [...text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)].map(([, inside, plain]) => (inside === undefined ? plain! : inside.replace(/\\(.)/g, "$1")));
}

/** Whether a group leads to rows: its conditions are such that a list's filters say them. */
export function leadsToRows(schema: Schema, entity: Entity, groups: ReportColumn[], conditions: Filter[] | undefined): boolean {
  return conditions !== undefined && groups.length > 0 && groups.every((group) => fieldAt(schema, entity, group.of) !== undefined);
}

/** The address of the rows of a group; undefined when too many rows elsewhere share its value. */
export async function addressOfRows(schema: Schema, entity: Entity, made: Made, groups: ReportColumn[], row: Row): Promise<string | undefined> {
  const filters = [...(conditionsOf(entity, made.filter) ?? [])];
  for (const group of groups) {
    const filter = await filterOf(schema, entity, group.of.split("."), row[group.name] ?? null);
    if (filter === undefined) return undefined;
    filters.push(filter);
  }
  const query = new URLSearchParams(filters.map((filter) => ["f", written(filter)]));
  return `/data/${entity.name}?${query}`;
}

/** Rows whose path leads to a value, as a condition on their own field: on the key along the way, by the rows it may point to. */
async function filterOf(schema: Schema, entity: Entity, [first = "", ...rest]: string[], value: Row[string] | null): Promise<Filter | undefined> {
  const field = (rest.length === 0 ? entity.fields[first] : keyOf(entity, first))!;
  if (value === null || value === undefined) return { field: field.name, operator: "empty", value: [] };
  if (rest.length === 0) return { field: field.name, operator: field.references || field.schema.enum ? "in" : "eq", value: [String(value)] };
  const { entity: name, field: key } = field.references!;
  const there = await filterOf(schema, schema.entities[name]!, rest, value);
  if (there === undefined) return undefined;
  const query = new URLSearchParams([["select", key], parameterOf(there), ["limit", String(MOST + 1)]]);
  const rows = await get<Row[]>(`/${name}?${query}`);
  return rows.length > MOST ? undefined : { field: field.name, operator: "in", value: rows.map((each) => String(each[key])) };
}
