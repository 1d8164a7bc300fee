/** Dashboards of a tenant's file: their widgets as the file has them, as pages draw them, and what an edit changes. Pure. */
import type { Titles } from "../i18n";
import type { Schema, Widget } from "../schema/types";
import { addItem, moveEntry, removeAt, setValue } from "./edit";
import { lineAt, valueAt, type Way } from "./nodes";

/** A widget as it is written: what is left out has its default. */
export type Written = { [key in keyof Omit<Widget, "title" | "columns" | "sort">]?: Widget[key] } & {
  title?: string | Titles;
  columns?: string | string[];
  sort?: string | string[];
};

/** An edit of the text; done anew when the file has changed meanwhile. */
export type Edit = (text: string) => string;

const wayOf = (name: string): Way => ["dashboards", name, "widgets"];

export function widgetsOf(text: string, name: string): Written[] {
  const found = valueAt(text, wayOf(name));
  return Array.isArray(found) ? (found as Written[]) : [];
}

/** Begin a dashboard that is called so; it is whole once it has a widget. */
export const begun = (name: string, title: string, language: string, schema: Schema): Edit => (text) => {
  const titled = schema.languages.length === 1 ? title : { [language]: title };
  const lines = setValue(text, ["dashboards", name], { title: titled, widgets: null }).split("\n");
  const at = lineAt(lines.join("\n"), wayOf(name)) - 1;
  // an open end: widgets come on lines of their own where the dashboard has some
  lines[at] = lines[at]!.replace(/widgets: null(?=( \})*$)/, "widgets:");
  return lines.join("\n");
};

/** A name for a new dashboard in a text: its title in the file's letters, and a number when there is one of that name. */
export function nameFor(text: string, title: string): string {
  const plain = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "").slice(0, 40) || "dashboard";
  const taken = valueAt(text, ["dashboards"]);
  const names = new Set(taken && typeof taken === "object" ? Object.keys(taken) : []);
  for (let number = 2, name = plain; ; number += 1) {
    if (!names.has(name)) return name;
    name = `${plain}_${number}`;
  }
}

export const added = (name: string, widget: Written): Edit => (text) => addItem(text, wayOf(name), widget);
export const changed = (name: string, at: number, widget: Written): Edit => (text) => setValue(text, [...wayOf(name), at], widget);
export const removed = (name: string, at: number): Edit => (text) => removeAt(text, [...wayOf(name), at]);
export const moved = (name: string, from: number, to: number): Edit => (text) => moveEntry(text, wayOf(name), from, to);

/** A widget with its defaults, as the server would answer it. */
export function drawn(widget: Written, schema: Schema): Widget {
  const many = (value: string | string[] | undefined) => (value === undefined ? [] : [value].flat());
  const title = typeof widget.title === "string" ? { [schema.languages[0] ?? "en"]: widget.title } : (widget.title ?? {});
  return {
    type: "metric", entity: "", value: "count()", filter: "", by: null, every: null, compare: null, limit: 10, width: 1,
    ...widget,
    columns: many(widget.columns),
    sort: many(widget.sort),
    title,
  };
}

/** What of a widget is written: nothing that is empty, or the default anyway. */
export function written(widget: Widget, schema: Schema): Written {
  const titles = Object.entries(widget.title).filter(([, text]) => text.trim() !== "");
  const [only] = titles;
  const title = schema.languages.length === 1 && only ? only[1] : Object.fromEntries(titles);
  const rows = widget.type === "table" || widget.type === "list";
  return {
    type: widget.type,
    ...(titles.length > 0 ? { title } : {}),
    entity: widget.entity,
    ...(!rows && widget.value !== "count()" ? { value: widget.value } : {}),
    ...(widget.filter ? { filter: widget.filter } : {}),
    ...(!rows && widget.by ? { by: widget.by } : {}),
    ...(!rows && widget.by && widget.every ? { every: widget.every } : {}),
    ...(widget.type === "metric" && widget.compare ? { compare: widget.compare } : {}),
    ...(rows && widget.columns.length > 0 ? { columns: widget.columns } : {}),
    ...(rows && widget.sort.length > 0 ? { sort: widget.sort.length === 1 ? widget.sort[0]! : widget.sort } : {}),
    ...(widget.type !== "metric" && widget.limit !== 10 ? { limit: widget.limit } : {}),
    ...(widget.width !== 1 ? { width: widget.width } : {}),
  };
}

/** Which widget a line of the text is in; -1 for none. */
export function widgetAt(text: string, name: string, line: number): number {
  const starts = widgetsOf(text, name).map((_, at) => lineAt(text, [...wayOf(name), at]));
  const first = starts[0];
  if (first === undefined || line < first) return -1;
  const end = endOf(text, first);
  return line > end ? -1 : starts.filter((start) => start <= line).length - 1;
}

/** The last line that belongs to the list that begins at a line: what follows stands further left. */
function endOf(text: string, first: number): number {
  const lines = text.split("\n");
  const depth = lines[first - 1]!.search(/\S/);
  const after = lines.findIndex((line, at) => at >= first && line.trim() !== "" && line.search(/\S/) < depth);
  return after < 0 ? lines.length : after;
}

export interface Change {
  kind: "same" | "gone" | "new";
  line: number;
  text: string;
}

/** The lines an edit changes, with three around them; line numbers are those of the text they are in. */
export function changesOf(before: string, after: string): Change[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const around = (first: number, last: number) => now.slice(first, last).map((text, at): Change => ({ kind: "same", line: first + at + 1, text }));
  const end = now.length - tail;
  return [...around(Math.max(0, head - 3), head), ...between(old.slice(head, old.length - tail), now.slice(head, end), head), ...around(end, end + 3)];
}

/** What of two lists of lines is the same in both, gone or new: by their longest common subsequence. */
function between(old: string[], now: string[], head: number): Change[] {
  const common = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1) common[i]![j] = old[i] === now[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const found: Change[] = [];
  for (let i = 0, j = 0; i < old.length || j < now.length; ) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      found.push({ kind: "same", line: head + j + 1, text: now[j]! });
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      found.push({ kind: "gone", line: head + i + 1, text: old[i]! });
      i += 1;
    } else {
      found.push({ kind: "new", line: head + j + 1, text: now[j]! });
      j += 1;
    }
  }
  return found;
}
