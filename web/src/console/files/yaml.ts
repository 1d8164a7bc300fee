/** What the language's JSON Schema says about a place in a YAML text: keys for completion, words for hover. Pure. */

export interface LanguageSchema {
  $ref?: string;
  $defs?: Record<string, LanguageSchema>;
  title?: string;
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  properties?: Record<string, LanguageSchema>;
  patternProperties?: Record<string, LanguageSchema>;
  additionalProperties?: boolean | LanguageSchema;
  items?: LanguageSchema;
  anyOf?: LanguageSchema[];
  oneOf?: LanguageSchema[];
  allOf?: LanguageSchema[];
}

/** A way through a document; a number is a place in a list. */
export type Way = (string | number)[];

/** Every schema that may hold at the end of a way: references followed, alternatives side by side. */
export function schemasAt(root: LanguageSchema, way: Way): LanguageSchema[] {
  let here = spread(root, root);
  for (const step of way) here = here.flatMap((schema) => below(schema, step)).flatMap((schema) => spread(root, schema));
  return here;
}

function below(schema: LanguageSchema, step: string | number): LanguageSchema[] {
  if (typeof step === "number") return schema.items ? [schema.items] : [];
  const named = schema.properties?.[step];
  if (named) return [named];
  for (const [pattern, found] of Object.entries(schema.patternProperties ?? {})) if (new RegExp(pattern, "u").test(step)) return [found];
  return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
}

function spread(root: LanguageSchema, schema: LanguageSchema, depth = 0): LanguageSchema[] {
  if (depth > 8) return [];
  if (schema.$ref) {
    const found = root.$defs?.[schema.$ref.replace("#/$defs/", "")];
    return found ? spread(root, found, depth + 1) : [];
  }
  const others = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...others.flatMap((one) => spread(root, one, depth + 1))];
}

/** Keys that may stand at a way, each with its words. */
export function keysAt(root: LanguageSchema, way: Way): { key: string; told: string }[] {
  const found = new Map<string, string>();
  for (const schema of schemasAt(root, way))
    for (const [key, value] of Object.entries(schema.properties ?? {}))
      if (!found.has(key)) found.set(key, told(root, value));
  return [...found].map(([key, words]) => ({ key, told: words }));
}

/** Values that may stand at a way. */
export function valuesAt(root: LanguageSchema, way: Way): string[] {
  const values = schemasAt(root, way).flatMap((schema) => [
    ...(schema.enum ?? []),
    ...(schema.const === undefined ? [] : [schema.const]),
    ...(schema.type === "boolean" ? [true, false] : []),
  ]);
  return [...new Set(values.map(String))];
}

export function told(root: LanguageSchema, schema: LanguageSchema): string {
  const all = spread(root, schema);
  return all.map((one) => one.description ?? "").find(Boolean) ?? "";
}

/** The way to a place: by the indentation of the lines above it, and by the braces open on its own line. */
export function wayTo(text: string, at: number): { way: Way; key: string | null } {
  const before = text.slice(0, at);
  const lines = before.split("\n");
  const last = lines.pop() ?? "";
  const way: Way = [];
  let indent = last.search(/\S|$/);
  for (let row = lines.length - 1; row >= 0; row -= 1) {
    const line = lines[row]!;
    const found = /^(\s*)(?:- )?("?)([\w-]+)\2:\s*(?:#.*)?$/.exec(line);
    if (!found || /^\s*#/.test(line)) continue;
    const depth = found[1]!.length;
    if (depth < indent) {
      way.unshift(found[3]!);
      indent = depth;
    }
  }
  return flowWay(last, way);
}

function flowWay(line: string, way: Way): { way: Way; key: string | null } {
  const full = [...way];
  let key: string | null = null;
  const opened: number[] = [];
  for (const [token] of line.matchAll(/"(?:[^"\\]|\\.)*"|#.*$|[\w-]+(?=\s*:(?:\s|$))|[{}[\],]/g)) {
    if (token.startsWith("#")) break;
    if (token === "{" || token === "[") {
      opened.push(full.length);
      if (key !== null) full.push(key);
      if (token === "[") full.push(0);
      key = null;
    } else if (token === "}" || token === "]") {
      full.length = opened.pop() ?? way.length;
      key = null;
    } else if (token === ",") key = null;
    else if (!token.startsWith('"')) key = token;
  }
  return { way: full, key };
}
