/** Kinds of fields as a person chooses them, and what each writes. Pure. */
import { isObject } from "@/lib/yaml/write";

export type Schema = Record<string, unknown>;

export const KINDS = {
  text: { type: "string" },
  richtext: { type: "string", format: "richtext" },
  email: { type: "string", format: "email" },
  uri: { type: "string", format: "uri" },
  choice: { type: "string", enum: [] },
  integer: { type: "integer" },
  number: { type: "number" },
  amount: { type: "number", multipleOf: 0.01 },
  boolean: { type: "boolean" },
  date: { type: "string", format: "date" },
  datetime: { type: "string", format: "date-time" },
  time: { type: "string", format: "time" },
  file: { type: "string", format: "file" },
  color: { type: "string", format: "color" },
  list: { type: "array", items: { type: "string" } },
} satisfies Record<string, Schema>;

export type Kind = keyof typeof KINDS;

/** What decides a kind; the rest of a field stays when the kind changes. */
const DECISIVE = ["type", "format", "enum", "multipleOf", "items"];

/** The kind of a field as it is written; null where it is none of these. */
export function kindOf(schema: Schema): Kind | null {
  if (schema.references !== undefined || schema.computed !== undefined) return null;
  const type = schema.type ?? "string";
  if (type === "string" && Array.isArray(schema.enum)) return schema.format === undefined ? "choice" : null;
  if (type === "number" && schema.format === undefined) return schema.multipleOf === 0.01 ? "amount" : "number";
  if (type === "array") return isObject(schema.items) && schema.items.type === "string" ? "list" : null;
  const found = Object.entries(KINDS).find(([, kind]: [string, Schema]) => kind.type === type && kind.format === schema.format && !kind.enum);
  return found ? (found[0] as Kind) : null;
}

/** A field's schema with another kind; what does not go with that is left out. */
export function withKind(schema: Schema, kind: Kind): Schema {
  if (kindOf(schema) === kind) return schema;
  const rest = Object.entries(schema).filter(([name]) => !DECISIVE.includes(name) && fits(name, kind));
  return { ...KINDS[kind], ...Object.fromEntries(rest) };
}

const TEXTS: Kind[] = ["text", "richtext", "email", "uri"];
const NUMBERS: Kind[] = ["integer", "number", "amount"];

/** Whether a key of a field means something for a kind. */
export function fits(name: string, kind: Kind): boolean {
  if (["minLength", "maxLength", "pattern"].includes(name)) return TEXTS.includes(kind);
  if (["minimum", "maximum"].includes(name)) return NUMBERS.includes(kind);
  if (name === "searchable") return TEXTS.includes(kind);
  if (name === "unique") return !["boolean", "list", "file", "richtext"].includes(kind);
  if (name === "default") return !["list", "file"].includes(kind);
  return true;
}

/** A default as a person types it, in the field's type. */
export function asDefault(typed: string, kind: Kind | null): unknown {
  if (typed === "") return undefined;
  if (kind === "boolean") return typed === "true";
  if (kind && NUMBERS.includes(kind) && Number.isFinite(Number(typed))) return Number(typed);
  return typed;
}
