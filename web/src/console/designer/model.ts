/** What a tenant's text says of entities, fields, relations, access and roles, for drawing it. Pure; it checks nothing. */
import { isMap, isScalar, isSeq, type Document, type Node } from "yaml";
import { document, keyOf, lineOf, nodeAt, pairStart, startOf, type Way } from "@/lib/yaml/nodes";
import { isObject } from "@/lib/yaml/write";

export const VERBS = ["read", "create", "update", "write", "delete"] as const;
export type Verb = (typeof VERBS)[number];

export interface Field {
  name: string;
  line: number;
  required: boolean;
  unique: boolean;
  /** Entity it refers to; "" for none. */
  references: string;
  computed: boolean;
  /** Words for its type: `email`, `number`, `text[]`. */
  kind: string;
  /** As written. */
  schema: Record<string, unknown>;
}

export interface Entry {
  verb: Verb;
  /** Its place in the verb's list; null where one value stands for a list. */
  at: number | null;
  line: number;
  role: string;
  written: Record<string, unknown>;
}

export interface Entity {
  name: string;
  line: number;
  title: string;
  fields: Field[];
  access: Entry[];
  formerly: string[];
}

export interface Role {
  name: string;
  line: number;
  inherits: string[];
  way: Way;
}

export interface Design {
  entities: Entity[];
  roles: Role[];
}

export const BUILT_IN_ROLES = ["public", "authenticated", "admin"];

/** @throws EditError when the text is no YAML. */
export function designOf(text: string): Design {
  const doc = document(text);
  const at = (way: Way) => placeOf(text, doc, way);
  const entities = mapAt(doc, ["entities"]).map(([name, value]): Entity => {
    const schema = isObject(value.schema) ? value.schema : {};
    const required = listOf(schema.required);
    const way: Way = ["entities", name, "schema", "properties"];
    return {
      name,
      line: at(["entities", name]),
      title: titleOf(value.title),
      formerly: listOf(value.renamed_from),
      fields: mapAt(doc, way).map(([field, found]) => ({
        name: field,
        line: at([...way, field]),
        required: required.includes(field),
        unique: found.unique === true,
        references: typeof found.references === "string" ? found.references : "",
        computed: found.computed !== undefined,
        kind: kindOf(found),
        schema: found,
      })),
      access: accessOf(value.access, name, at),
    };
  });
  const places: Way[] = [["roles"], ["access_rules", "roles"]];
  const roles = places.flatMap((way) =>
    mapAt(doc, way).map(([name, value]) => ({ name, line: at([...way, name]), inherits: listOf(value.inherits), way: [...way, name] })),
  );
  return { entities, roles };
}

function mapAt(doc: Document, way: Way): [string, Record<string, unknown>][] {
  const node = nodeAt(doc, way);
  if (!isMap(node)) return [];
  return node.items.map((pair) => {
    const value: unknown = pair.value === null ? null : (pair.value as Node).toJS(doc);
    return [keyOf(pair), isObject(value) ? value : {}];
  });
}

function placeOf(text: string, doc: Document, way: Way): number {
  const parent = nodeAt(doc, way.slice(0, -1));
  const step = way.at(-1)!;
  if (isMap(parent)) {
    const pair = parent.items.find((one) => keyOf(one) === step);
    return pair ? lineOf(text, pairStart(pair)) : 0;
  }
  const node = isSeq(parent) ? (parent.items[Number(step)] as Node) : isScalar(parent) ? parent : undefined;
  return node ? lineOf(text, startOf(node)) : 0;
}

function accessOf(access: unknown, entity: string, at: (way: Way) => number): Entry[] {
  if (!isObject(access)) return [];
  return VERBS.flatMap((verb) => {
    const found = access[verb];
    if (found === undefined || found === null) return [];
    const written = (value: unknown) => (isObject(value) ? value : { role: String(value) });
    const entries = Array.isArray(found) ? (found as unknown[]) : [found];
    return entries.map((value, index) => {
      const place = Array.isArray(found) ? index : null;
      const way: Way = ["entities", entity, "access", verb];
      const one = written(value);
      return { verb, at: place, line: at(place === null ? way : [...way, place]), role: String(one.role ?? ""), written: one };
    });
  });
}

/** The type in a word. */
export function kindOf(schema: Record<string, unknown>): string {
  if (typeof schema.references === "string") return `→ ${schema.references}`;
  const type = listOf(schema.type).find((one) => one !== "null") ?? (schema.computed === undefined ? "string" : "");
  if (Array.isArray(schema.enum)) return "choice";
  if (type === "array") return `${isObject(schema.items) ? kindOf(schema.items) : "string"}[]`;
  if (typeof schema.format === "string") return schema.format;
  return type === "string" ? "text" : type || "computed";
}

/** A list, or a single value that stands for one. */
export function listOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" ? [value] : [];
}

function titleOf(title: unknown): string {
  if (typeof title === "string") return title;
  return isObject(title) ? String(Object.values(title)[0] ?? "") : "";
}

/** What follows a foreign key in a path: `owner_id` -> `owner`. */
export function relationOf(field: string): string {
  return field.length > 3 && field.endsWith("_id") ? field.slice(0, -3) : field;
}
