/** What people read for figures: their names, and their values in the money or digits of the field. */
import type { Formats } from "../i18n/formats";
import type { Entity, Field, Schema } from "../schema/types";
import { entityTitle, fieldTitle, valueTitle } from "../schema/words";
import { fieldAt, figureOf } from "./query";
import { periodLabel, type Period } from "./periods";

export interface FigureWords {
  count: (what: string) => string;
  sum: (what: string) => string;
  avg: (what: string) => string;
  min: (what: string) => string;
  max: (what: string) => string;
}

export function figureTitle(schema: Schema, entity: Entity, text: string, words: FigureWords, language: string): string {
  const figure = figureOf(text);
  const field = fieldAt(schema, entity, figure?.path ?? text);
  if (figure === undefined) return field ? fieldTitle(field, language) : text;
  return words[figure.aggregate](field ? fieldTitle(field, language) : entityTitle(entity, language));
}

/** A figure's number: counts are whole, sums have the digits of their field, averages two. */
export function figureText(schema: Schema, entity: Entity, text: string, value: number, format: Formats): string {
  const figure = figureOf(text);
  const field = figure && fieldAt(schema, entity, figure.path);
  if (field === undefined || figure?.aggregate === "count") return format.number(value);
  const currency = field.options?.["currency"];
  if (typeof currency === "string") return format.money(value, currency);
  const fine = figure!.aggregate === "avg" || (field.schema.multipleOf ?? 1) < 1;
  return format.number(Math.round(value * 100) / 100, fine && !Number.isInteger(value) ? 2 : undefined);
}

/** What splits a figure: a choice's title, a period, a name. */
export function splitText(field: Field | undefined, by: string | null, every: Period | null, language: string, none: string): string {
  if (by === null) return none;
  if (field?.kind === "date" || field?.kind === "datetime") return periodLabel(by, every ?? "day", language);
  return field?.schema.enum ? valueTitle(field, by, language) : String(by);
}
