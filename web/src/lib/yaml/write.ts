/** How a value is written: plain where it can be read back, quoted where not; in braces, or on lines of its own. Pure. */
import { parseDocument, type Scalar } from "yaml";

export const INDENT = 2;
const WORDS = new Set(["true", "false", "null", "yes", "no", "on", "off", "y", "n"]);

/** A scalar as it stands inside braces (`flow`) or behind a colon; `like` is one whose quotes are kept. */
export function scalar(value: unknown, flow: boolean, like?: Scalar): string {
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  if (like?.type === "QUOTE_SINGLE" && !/[\n\r]/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  if (like?.type === "QUOTE_DOUBLE" || !isPlain(value, flow)) return JSON.stringify(value);
  return value;
}

function isPlain(value: string, flow: boolean): boolean {
  if (value === "" || WORDS.has(value.toLowerCase()) || /[\n\r\t]/.test(value) || value.trim() !== value) return false;
  if (!/^[\p{L}_$(\d.-]/u.test(value)) return false;
  const doc = parseDocument(flow ? `[ ${value} ]` : `k: ${value}`, { logLevel: "silent" });
  if (doc.errors.length) return false;
  const read = doc.toJS() as { k?: unknown } | unknown[];
  return Array.isArray(read) ? read.length === 1 && read[0] === value : read.k === value;
}

export function key(name: string): string {
  return scalar(name, true);
}

/** A value on one line. */
export function inline(value: unknown, flow = true): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const items = value.map((item) => inline(item)).join(", ");
    return isObject(value[0]) ? `[ ${items} ]` : `[${items}]`;
  }
  if (isObject(value)) {
    const entries = Object.entries(value).map(([name, one]) => `${key(name)}: ${inline(one)}`);
    return entries.length ? `{ ${entries.join(", ")} }` : "{}";
  }
  return scalar(value, flow);
}

/** A key with its value as lines that begin at a column: what holds objects is opened, the innermost stays on a line. */
export function lines(name: string, value: unknown, column: number, opened = false): string[] {
  const head = `${" ".repeat(column)}${key(name)}:`;
  if (isObject(value) && Object.keys(value).length > 0 && (opened || Object.values(value).some(isObject)))
    return [head, ...Object.entries(value).flatMap(([inner, one]) => lines(inner, one, column + INDENT))];
  return [`${head} ${inline(value, false)}`];
}

/** An item of a list as lines; `opened` with its keys below each other. */
export function item(value: unknown, column: number, opened: boolean): string[] {
  const dash = `${" ".repeat(column)}- `;
  if (!opened || !isObject(value) || Object.keys(value).length === 0) return [dash + inline(value, false)];
  const inner = Object.entries(value).flatMap(([name, one]) => lines(name, one, column + INDENT));
  return inner.map((line, at) => (at === 0 ? dash + line.trimStart() : line));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
