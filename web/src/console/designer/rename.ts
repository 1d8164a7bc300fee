/**
 * Renaming a field or an entity: the key, `renamed_from` so that the data moves along, and everything else in the
 * file that means it. What nobody can be sure of is listed and left. Pure.
 */
import { isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";
import { addItem, renameKey, setValue } from "@/lib/yaml/edit";
import { document, keyOf, lineOf, valueAt, type Way } from "@/lib/yaml/nodes";
import { designOf, listOf, type Design } from "./model";
import { Names, type Reading, type Renaming } from "./names";

export interface Followed {
  text: string;
  /** Lines of the old text whose names were changed, the key's own left out. */
  lines: number[];
  /** Lines that may mean it; a person has to look. */
  unsure: number[];
}

const READINGS: Record<string, Reading> = {
  ...all("cel", "rule", "check", "computed", "where", "guard", "condition", "when", "required_if", "visible_if", "read_only_if", "messageExpression", "default"),
  ...all("path", "columns", "filters", "card", "sort", "group_by", "label", "key", "start", "end", "color_by", "by", "value", "fields", "hide", "hidden", "lock", "required", "unique", "field", "fieldPath"),
  ...all("filter", "filter"),
  ...all("select", "select"),
  ...all("entity", "references", "entity", "entities"),
  ...all("event", "events", "on", "match"),
};

/** Keys below which each key is a field's name. */
const FIELDS = new Set(["set", "given"]);

function all(reading: Reading, ...keys: string[]): Record<string, Reading> {
  return Object.fromEntries(keys.map((key) => [key, reading]));
}

/** Rename; `base` is the text in force: what it does not have needs no `renamed_from`. */
export function rename(text: string, base: string, renaming: Renaming): Followed {
  const { entity, field, to } = renaming;
  const way: Way = field === "" ? ["entities", entity] : ["entities", entity, "schema", "properties", field];
  const { text: followed, lines, unsure } = follow(text, renaming);
  const moved: Way = [...way.slice(0, -1), to];
  const done = renameKey(followed, way, to);
  return { text: remembered(done, base, moved, renaming), lines, unsure };
}

/** Write `renamed_from` where the text in force has the old name, and drop it where that had the new one. */
function remembered(text: string, base: string, way: Way, { entity, field, to }: Renaming): string {
  const from: Way = [...way, "renamed_from"];
  const former = listOf(valueAt(text, from));
  const known = namesIn(base, text, entity, field);
  const old = field === "" ? entity : field;
  if (known.has(to)) {
    const left = former.filter((name) => name !== to);
    return former.length === left.length ? text : setValue(text, from, left.length === 0 ? undefined : left.length === 1 ? left[0] : left);
  }
  if (!known.has(old)) return text;
  return former.length ? addItem(text, from, old, 0) : setValue(text, from, old);
}

/** Names of entities, or of an entity's fields, in the text in force. */
function namesIn(base: string, text: string, entity: string, field: string): Set<string> {
  const before = designOf(base);
  if (field === "") return new Set(before.entities.map(({ name }) => name));
  const here = designOf(text).entities.find(({ name }) => name === entity);
  const there = before.entities.find(({ name }) => name === entity) ?? before.entities.find(({ name }) => here?.formerly.includes(name));
  return new Set(there?.fields.map(({ name }) => name));
}

function follow(text: string, renaming: Renaming): Followed {
  const design = designOf(text);
  const names = new Names(design, renaming);
  const doc = document(text);
  const changes: { from: number; to: number; by: string }[] = [];
  const unsure = new Set<number>();

  const visit = (node: unknown, way: Way, home: string | null) => {
    if (isMap(node)) {
      const said = node.items.find((pair) => keyOf(pair) === "entity" && isScalar(pair.value))?.value as Scalar | undefined;
      const inside = way[0] === "entities" ? home : (said?.value as string | undefined) ?? home;
      for (const pair of node.items) {
        const name = keyOf(pair);
        const kind = namesFields(way) ? "path" : namesEntities(way) ? "entity" : null;
        if (kind) change(pair.key as Scalar, kind, inside);
        visit(pair.value, [...way, name], way[0] === "entities" && way.length === 1 ? name : inside);
      }
    } else if (isSeq(node)) node.items.forEach((one, at) => visit(one, [...way, at], home));
    else if (isScalar(node) && typeof node.value === "string") scalarAt(node, way, home);
  };

  const scalarAt = (node: Scalar, way: Way, home: string | null) => {
    if (way[0] === "let" || (way[0] === "access_rules" && way[1] === "rules")) return change(node, "cel", ofRule(text, design, String(way.at(-1))));
    const key = way.findLast((step) => typeof step === "string") as string;
    const above = way.slice(0, way.lastIndexOf(key)).findLast((step) => typeof step === "string") as string | undefined;
    if (key === "renamed_from" || isProperty(way)) return;
    if (String(node.value).includes("{{")) return change(node, "template", home);
    if (above === "set" || above === "claims") return change(node, "cel", home);
    const webhook = way[0] === "webhooks" || way[0] === "events";
    const reading = READINGS[key];
    if (reading) change(node, reading, webhook ? ofEvents(valueAt(text, way.slice(0, 2))) : home);
    else if (way.includes("config") && home === renaming.entity && node.value === renaming.field) unsure.add(lineOf(text, node.range![0]));
  };

  const change = (node: Scalar, reading: Reading, home: string | null) => {
    const [from, to] = node.range!;
    const raw = text.slice(from, to);
    const quote = /^["']/.exec(raw)?.[0] ?? "";
    const inner = quote ? raw.slice(1, -1) : raw;
    const found = names.renamed(inner, reading, home);
    if (found.text !== inner) changes.push({ from, to, by: quote + found.text + quote });
    if (found.unsure) unsure.add(lineOf(text, from));
  };

  visit(doc.contents as Node, [], null);
  const done = changes.sort((one, other) => other.from - one.from).reduce((result, { from, to, by }) => result.slice(0, from) + by + result.slice(to), text);
  const lines = new Set(changes.map(({ from }) => lineOf(text, from)));
  return { text: done, lines: [...lines].sort((one, other) => one - other), unsure: [...unsure].sort((one, other) => one - other) };
}

/** Whether the keys of the map at a way are fields of the entity around it. */
function namesFields(way: Way): boolean {
  const last = way.at(-1);
  if (typeof last !== "string") return false;
  if (way.includes("config")) return false;
  return FIELDS.has(last) || (last === "fields" && way.at(-3) === "views");
}

/** Whether the keys of the map at a way are entities. */
function namesEntities(way: Way): boolean {
  return way.length === 1 && way[0] === "indexes";
}

/** Whether a way leads into a property's own words: `enum`, `title`, `pattern`; its expressions and references are read. */
function isProperty(way: Way): boolean {
  return way[2] === "schema" && way[3] === "properties" && !["computed", "default", "references"].includes(String(way.at(-1)));
}

/** The one entity whose expressions use a named rule, if it is one. */
function ofRule(text: string, design: Design, name: string): string | null {
  const word = new RegExp(`(?<![\\w.])${name}(?!\\w)`);
  const users = design.entities.filter((entity) => {
    const value = valueAt(text, ["entities", entity.name]) as Record<string, unknown>;
    return word.test(JSON.stringify([value.access, value.rules, value.workflow]));
  });
  return users.length === 1 ? users[0]!.name : null;
}

/** The one entity a webhook or subscription hears of, if it is one. */
function ofEvents(value: unknown): string | null {
  const { events, on } = (value ?? {}) as { events?: unknown; on?: unknown };
  const heard = new Set([...listOf(events), ...listOf(on)].filter((one) => one.includes(".")).map((one) => one.split(".")[0]!));
  return heard.size === 1 ? [...heard][0]! : null;
}
