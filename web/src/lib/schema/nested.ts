/** Parts of objects and arrays as fields, so that they are shown and filled in like every other one. */
import type { Field, JsonSchema } from "./types";

export function partOf(name: string, schema: JsonSchema, required = false): Field {
  return {
    name,
    kind: kindOf(schema),
    schema,
    required,
    nullable: !required,
    writable: true,
    ...(schema.title ? { title: { en: schema.title } } : {}),
    ...(schema.description ? { description: schema.description } : {}),
  };
}

export function partsOf(schema: JsonSchema): Field[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, part]) => partOf(name, part, required.has(name)));
}

function kindOf(schema: JsonSchema): string {
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== "null") : schema.type;
  switch (type) {
    case "integer":
      return "bigint";
    case "number":
      return "numeric";
    case "boolean":
      return "boolean";
    case "object":
      return "json";
    case "array":
      return isScalar(schema.items) ? "array" : "json";
    default:
      return { date: "date", "date-time": "datetime", time: "time", uuid: "uuid" }[schema.format ?? ""] ?? "text";
  }
}

function isScalar(items: JsonSchema | undefined): boolean {
  return items === undefined || !(items.type === "object" || items.type === "array" || items.properties);
}

/** What a new element of an array begins as. */
export function emptyOf(schema: JsonSchema): unknown {
  if (schema.properties)
    return Object.fromEntries(Object.entries(schema.properties).flatMap(([name, part]) => (part.default === undefined ? [] : [[name, part.default]])));
  return schema.default ?? (schema.type === "array" ? [] : null);
}
