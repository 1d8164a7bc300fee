/** What widgets of the file are called, and how often they look again. */
import type { Titles } from "@/lib/i18n";
import { fieldAt, figureOf } from "@/lib/figures/query";
import { isTime } from "@/lib/figures/series";
import { figureTitle } from "@/lib/figures/words";
import type { Messages } from "@/lib/i18n";
import type { Schema, Widget } from "@/lib/schema/types";
import { entityTitle, fieldTitle, readable } from "@/lib/schema/words";

/** Milliseconds after which a figure is asked for again while somebody looks at it. */
export const EVERY = 10_000;

export const isCount = (widget: Widget) => figureOf(widget.value)?.path === "";

export function widgetTitle(
  schema: Schema,
  widget: Widget,
  words: Messages["figures"],
  language: string,
  say: (titles: Titles | undefined, otherwise: string) => string,
): string {
  if (Object.keys(widget.title).length > 0) return say(widget.title, widget.entity);
  const entity = schema.entities[widget.entity]!;
  if (widget.type === "table" || widget.type === "list") return entityTitle(entity, language);
  const value = figureTitle(schema, entity, widget.value, words, language);
  if (!widget.by) return value;
  const field = fieldAt(schema, entity, widget.by);
  if (isTime(field?.kind)) return words.per[widget.every ?? "day"](value);
  const [relation = ""] = widget.by.split(".");
  return words.by(value, widget.by.includes(".") ? readable(relation) : field ? fieldTitle(field, language) : readable(widget.by));
}
