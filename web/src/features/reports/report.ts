/** A report as the server makes it, and how its columns and values read. */
import type { Formats } from "@/lib/i18n/formats";
import { fieldAt, figureOf, keyOf } from "@/lib/figures/query";
import { figureText, figureTitle, type FigureWords } from "@/lib/figures/words";
import type { Entity, Field, Parameter, Report, Schema } from "@/lib/schema/types";
import { fieldTitle, readable, titleOf, valueTitle } from "@/lib/schema/words";
import type { Me } from "@/lib/session/session";

export type Row = Record<string, string | number | boolean | null | undefined>;

export interface ReportColumn {
  name: string;
  /** As the file has it: "customer.name", "net.sum()". */
  of: string;
  aggregate: string | null;
  kind: string;
}

export interface Made {
  name: string;
  entity: string;
  parameters: Record<string, unknown>;
  filter: string;
  columns: ReportColumn[];
  rows: Row[];
  subtotals: Row[];
  total: Row | null;
  complete: boolean;
  made_at: string;
  schedule: { cron: string; zone: string; next_at: string | null } | null;
}

/** Figures need the right to sum up; a list of rows needs none. */
export function mayMake(report: Report, me: Me): boolean {
  const figures = report.group_by.length > 0 || report.columns.some((column) => figureOf(column) !== undefined);
  return !figures || me.can[report.entity]?.read.aggregate === true;
}

export const isNumeric = (column: ReportColumn) => ["bigint", "integer", "numeric", "double"].includes(column.kind);
export const isDay = (column: ReportColumn) => column.kind === "date" || column.kind === "datetime";

/** A figure's title, or that of the field; one along a relation is called by it when it is what rows there are called. */
export function columnTitle(schema: Schema, entity: Entity, column: ReportColumn, words: FigureWords, language: string): string {
  if (column.aggregate) return figureTitle(schema, entity, column.of, words, language);
  const steps = column.of.split(".");
  const last = steps.pop()!;
  let holder: Field | undefined;
  let at: Entity | undefined = entity;
  for (const step of steps) {
    holder = at && keyOf(at, step);
    at = holder && schema.entities[holder.references!.entity];
  }
  const field = fieldAt(schema, entity, column.of);
  const own = field ? fieldTitle(field, language) : readable(last);
  if (holder === undefined) return own;
  const whose = fieldTitle(holder, language);
  return at?.label === last ? whose : `${whose}: ${own.toLocaleLowerCase(language)}`;
}

export function valueText(schema: Schema, entity: Entity, column: ReportColumn, value: Row[string], format: Formats, language: string, none: string): string {
  if (value === null || value === undefined) return column.aggregate ? "–" : none;
  if (column.kind === "date") return format.day(String(value));
  if (column.kind === "datetime") return format.moment(String(value));
  if (column.aggregate && typeof value === "number") return figureText(schema, entity, column.of, value, format);
  const field = fieldAt(schema, entity, column.of);
  if (typeof value === "number") {
    const currency = field?.options?.["currency"];
    return typeof currency === "string" ? format.money(value, currency) : format.number(value);
  }
  return field?.schema.enum ? valueTitle(field, String(value), language) : String(value);
}

/** A parameter as a field, for its input. */
export function fieldOf(schema: Schema, name: string, parameter: Parameter, language: string): Field {
  const { title, references, type, format, ...rest } = parameter;
  const plain = (Array.isArray(type) ? type.find((each) => each !== "null") : type) ?? "string";
  const target = references ? schema.entities[references] : undefined;
  return {
    name,
    kind: KINDS[`${plain} ${format ?? ""}`] ?? KINDS[plain] ?? "text",
    schema: { ...rest, type: plain, ...(format ? { format } : {}), title: titleOf(title, name, language) },
    required: false,
    nullable: true,
    writable: true,
    ...(target ? { references: { entity: target.name, field: target.key, relation: name, label: target.label } } : {}),
  };
}

const KINDS: Record<string, string> = {
  "string date": "date",
  "string date-time": "datetime",
  "string time": "time",
  integer: "bigint",
  number: "numeric",
  boolean: "boolean",
  array: "array",
};
