/** What people read for the names of the file: its titles in their language, else the name made readable. */
import { sayIn, type Titles } from "../i18n";
import type { Entity, Field } from "./types";

/** "customer_id" -> "Customer", "due_on" -> "Due on". */
export function readable(name: string): string {
  const words = name.replace(/_id$/, "").replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function entityTitle(entity: Entity, language: string): string {
  return sayIn(language, filled(entity.title), readable(entity.name));
}

export function fieldTitle(field: Field, language: string): string {
  return sayIn(language, filled(field.title), field.schema.title ?? readable(field.name));
}

/** Of a dashboard, a report, a view. */
export function titleOf(title: Titles | undefined, name: string, language: string): string {
  return sayIn(language, filled(title), readable(name));
}

/** A value of an enum. */
export function valueTitle(field: Field | undefined, value: string, language: string): string {
  return sayIn(language, field?.labels?.[value], readable(value));
}

function filled(titles: Titles | undefined): Titles | undefined {
  return titles && Object.keys(titles).length > 0 ? titles : undefined;
}
