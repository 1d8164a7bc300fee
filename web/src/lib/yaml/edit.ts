/**
 * Edits of a YAML text that a person wrote: one value set, one key added, renamed, moved or removed, everything else
 * as it was byte for byte. Comments, order, quotes, alignment and indentation stay, because only the characters that
 * must change are replaced. Text in, text out; it knows nothing of what keys mean. The same edits by programs:
 * `schemas/compiler/edit.py`.
 *
 *     setValue(text, ["dashboards", "desk", "widgets", 0, "type"], "bar")   // a map or list: only what differs in it
 *     setValue(text, ["dashboards", "desk", "title"], undefined)            // removes the key
 *     addItem(text, ["dashboards", "desk", "widgets"], { type: "metric", entity: "jobs" })
 *     moveEntry(text, ["dashboards", "desk", "widgets"], 2, 0)
 *     renameKey(text, ["dashboards", "desk"], "office")
 *     removeAt(text, ["dashboards", "desk"])
 *
 * Read with `valueAt`, and show where with `lineAt` (nodes.ts). Each throws EditError when the text is no YAML or has
 * no such place.
 */
import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { EditError, colonOf, document, endOf, isEmpty, isFlow, keyOf, lineEnd, lineStart, nodeAt, pairOf, piecesOf, startOf, valueAt, type Way } from "./nodes";
import { INDENT, inline, isObject, item, key as written, lines, scalar } from "./write";

/** Set what is at a way, making the maps on the way; `undefined` removes it. Maps and lists change only where they differ. */
export function setValue(text: string, way: Way, value: unknown): string {
  const current = valueAt(text, way);
  if (same(current, value)) return text;
  if (value === undefined) return removeAt(text, way);
  if (current === undefined) return added(text, way, value);
  if (isObject(current) && isObject(value) && Object.keys(current).length && Object.keys(value).length) {
    let result = text;
    for (const name of Object.keys(value)) result = setValue(result, [...way, name], value[name]);
    for (const name of Object.keys(current)) if (value[name] === undefined) result = removeAt(result, [...way, name]);
    return result;
  }
  if (Array.isArray(current) && Array.isArray(value) && current.length && value.length) return setList(text, way, current, value);
  return replaced(text, way, value);
}

function setList(text: string, way: Way, current: unknown[], value: unknown[]): string {
  let head = 0;
  while (head < Math.min(current.length, value.length) && same(current[head], value[head])) head += 1;
  let tail = 0;
  while (tail < Math.min(current.length, value.length) - head && same(current.at(-1 - tail), value.at(-1 - tail))) tail += 1;
  const both = Math.min(current.length, value.length) - head - tail;
  let result = text;
  for (let at = head; at < head + both; at += 1) result = setValue(result, [...way, at], value[at]);
  for (let at = current.length - tail - 1; at >= head + both; at -= 1) result = removeAt(result, [...way, at]);
  for (let at = head + both; at < value.length - tail; at += 1) result = addItem(result, way, value[at], at);
  return result;
}

function added(text: string, way: Way, value: unknown): string {
  const doc = document(text);
  let depth = 0;
  while (nodeAt(doc, way.slice(0, depth + 1)) !== undefined) depth += 1;
  const rest = way.slice(depth + 1).reduceRight((inner, step) => ({ [step]: inner }), value);
  const parent = way.slice(0, depth);
  const step = way[depth]!;
  return typeof step === "number" ? addItem(text, parent, rest, step) : addKey(text, parent, step, rest);
}

function replaced(text: string, way: Way, value: unknown): string {
  const doc = document(text);
  const node = nodeAt(doc, way);
  const parent = nodeAt(doc, way.slice(0, -1));
  const pair = isMap(parent) ? pairOf(parent, String(way.at(-1))) : undefined;
  const flow = way.some((_, depth) => isFlow(nodeAt(doc, way.slice(0, depth))));
  if (pair && (isEmpty(text, node) || (!isScalar(node) && !isFlow(node)))) {
    const end = node && !isEmpty(text, node) ? endOf(text, node) : colonOf(text, pair);
    return splice(text, colonOf(text, pair), end, ` ${inline(value, flow)}`);
  }
  if (!node) throw new EditError(`there is no ${way.join(".")}`);
  if (isScalar(node) && node.type === "BLOCK_LITERAL" && typeof value === "string") return literal(text, node, value);
  const like = isScalar(node) ? (node as Scalar) : undefined;
  const words = typeof value === "string" ? scalar(value, flow, like) : inline(value, flow);
  return splice(text, startOf(node), endOf(text, node), words);
}

function literal(text: string, node: Node, value: string): string {
  const first = lineEnd(text, startOf(node)) + 1;
  const indent = /^ */.exec(text.slice(first))![0];
  const body = value.replace(/\n$/, "").split("\n").map((line) => line && indent + line);
  return splice(text, first, endOf(text, node), body.join("\n"));
}

/** Add a key to a map, behind `after` or at its end. */
export function addKey(text: string, way: Way, name: string, value: unknown, after?: string): string {
  const doc = document(text);
  const node = nodeAt(doc, way);
  if (isMap(node) && pairOf(node, name)) throw new EditError(`${[...way, name].join(".")} is there already`);
  if (isMap(node) && node.items.length > 0) {
    const at = after === undefined ? -1 : node.items.findIndex((pair) => keyOf(pair) === after);
    const place = at < 0 ? node.items.length : at + 1;
    if (node.flow) return intoFlow(text, node, `${written(name)}: ${inline(value)}`, place);
    return intoBlock(text, node, place, blockKey(text, node, name, value));
  }
  if (node === undefined) throw new EditError(`there is no ${way.join(".")}`);
  if (node && !isEmpty(text, node) && !(isMap(node) && node.flow)) throw new EditError(`${way.join(".")} is no map`);
  return opened(text, way, (column) => lines(name, value, column), { [name]: value });
}

/** Add an item to a list, at a place or at its end. A single value that stands for a list becomes one. */
export function addItem(text: string, way: Way, value: unknown, at?: number): string {
  const node = nodeAt(document(text), way);
  if (node === undefined) return setValue(text, way, [value]);
  if (isSeq(node) && node.items.length > 0) {
    const place = Math.min(at ?? node.items.length, node.items.length);
    if (node.flow) return intoFlow(text, node, inline(value), place);
    const column = startOf(node) - lineStart(text, startOf(node));
    return intoBlock(text, node, place, item(value, column, node.items.some((one) => isMap(one) && !one.flow)));
  }
  if (isSeq(node)) return splice(text, startOf(node), endOf(text, node), inline([value]));
  if (isEmpty(text, node)) return opened(text, way, (column) => item(value, column, false), [value]);
  const single = valueAt(text, way);
  return splice(text, startOf(node!), endOf(text, node!), inline(at === 0 ? [value, single] : [single, value]));
}

/** Put the first entry into what is empty: on lines of its own below a bare key, else between braces. */
function opened(text: string, way: Way, block: (column: number) => string[], value: unknown): string {
  const doc = document(text);
  const node = nodeAt(doc, way);
  const parent = nodeAt(doc, way.slice(0, -1));
  const pair = isMap(parent) ? pairOf(parent, String(way.at(-1))) : undefined;
  const deep = isObject(value) && Object.values(value).some((one) => isObject(one) && Object.values(one).some(isObject));
  const flow = way.some((_, depth) => isFlow(nodeAt(doc, way.slice(0, depth))));
  if (!pair) return node ? splice(text, startOf(node), endOf(text, node), inline(value)) : `${text}${block(0).join("\n")}\n`;
  const bare = isEmpty(text, node);
  if (flow || (!bare && !deep)) return replaced(text, way, value);
  const from = (pair.key as Node).range![0];
  const column = from - lineStart(text, from) + INDENT;
  const cut = bare ? text : splice(text, colonOf(text, pair), endOf(text, node!), "");
  const end = lineEnd(cut, colonOf(cut, pair));
  return splice(cut, end, end, `\n${block(column).join("\n")}`);
}

function blockKey(text: string, node: YAMLMap, name: string, value: unknown): string[] {
  const first = startOf(node.items[0]!.key as Node);
  const column = first - lineStart(text, first);
  const wide = isObject(value) && node.items.some((pair) => isMap(pair.value) && !pair.value.flow && pair.value.items.length > 0);
  const found = lines(name, value, column, wide);
  const target = alignment(text, node.items as Pair[]);
  const colon = found[0]!.indexOf(": ", column + written(name).length - 1);
  if (found.length === 1 && target > colon + 2) found[0] = found[0]!.slice(0, colon + 1).padEnd(target) + found[0]!.slice(colon + 2);
  return found;
}

/** The column in which all values of a map begin, where a person has aligned them; else 0. */
function alignment(text: string, pairs: Pair[]): number {
  const places = pairs.filter((pair) => pair.value !== null && (pair.value as Node).range).map((pair) => {
    const start = startOf(pair.value as Node);
    return { column: start - lineStart(text, start), gap: start - colonOf(text, pair) };
  });
  const aligned = places.length > 1 && places.every(({ column }) => column === places[0]!.column) && places.some(({ gap }) => gap > 1);
  return aligned ? places[0]!.column : 0;
}

function intoFlow(text: string, node: YAMLMap | YAMLSeq, entry: string, place: number): string {
  const pieces = piecesOf(text, node);
  if (place === 0) return splice(text, pieces[0]!.from, pieces[0]!.from, `${entry}, `);
  const { from, to } = pieces[place - 1]!;
  const start = lineStart(text, from);
  const own = text.slice(start, from).trim() === "" && start > startOf(node);
  if (!own) return splice(text, to, to, `, ${entry}`);
  const comma = /^\s*,/.exec(text.slice(to, lineEnd(text, to)))?.[0].length ?? 0;
  const closed = /^\s*[}\]]/.test(text.slice(to + comma, lineEnd(text, to)));
  const end = closed ? to + comma : lineEnd(text, to);
  const line = `\n${text.slice(start, from)}${entry}${comma ? "," : ""}`;
  return `${text.slice(0, to)}${comma ? "" : ","}${text.slice(to, end)}${line}${text.slice(end)}`;
}

function intoBlock(text: string, node: YAMLMap | YAMLSeq, place: number, found: string[]): string {
  const pieces = piecesOf(text, node);
  if (place === 0) {
    const start = lineStart(text, pieces[0]!.from);
    return splice(text, start, start, `${found.join("\n")}\n`);
  }
  const end = lineEnd(text, pieces[place - 1]!.to);
  return splice(text, end, end, `\n${found.join("\n")}`);
}

/** Give a key another name; its value and its place stay. */
export function renameKey(text: string, way: Way, name: string): string {
  const parent = nodeAt(document(text), way.slice(0, -1));
  const pair = isMap(parent) ? pairOf(parent, String(way.at(-1))) : undefined;
  if (!pair || !isMap(parent)) throw new EditError(`there is no ${way.join(".")}`);
  if (pairOf(parent, name)) throw new EditError(`${name} is there already`);
  const node = pair.key as Scalar;
  return splice(text, node.range![0], node.range![1], scalar(name, true, node));
}

/** Remove a key with its value, or an item; a collection that loses its last entry stays, empty. */
export function removeAt(text: string, way: Way): string {
  const parent = nodeAt(document(text), way.slice(0, -1));
  const step = way.at(-1)!;
  const at = isMap(parent) ? parent.items.findIndex((pair) => keyOf(pair) === step) : isSeq(parent) && typeof step === "number" ? step : -1;
  if (!(isMap(parent) || isSeq(parent)) || at < 0 || at >= parent.items.length) throw new EditError(`there is no ${way.join(".")}`);
  if (parent.items.length === 1) return parent.flow ? splice(text, startOf(parent), endOf(text, parent), isMap(parent) ? "{}" : "[]") : replaced(text, way.slice(0, -1), isMap(parent) ? {} : []);
  const pieces = piecesOf(text, parent);
  const { from, to } = pieces[at]!;
  const start = lineStart(text, from);
  if (!parent.flow) {
    if (isMap(parent) && text.slice(start, from).trim() !== "") return splice(text, from, pieces[at + 1]!.from, "");
    return splice(text, start, Math.min(lineEnd(text, to) + 1, text.length), "");
  }
  const after = /^\s*,/.exec(text.slice(to))?.[0].length ?? 0;
  const rest = text.slice(to + after, lineEnd(text, to + after));
  if (start > startOf(parent) && text.slice(start, from).trim() === "" && /^\s*(#.*)?$/.test(rest)) return splice(text, start, lineEnd(text, to + after) + 1, "");
  if (at + 1 < pieces.length) return splice(text, from, pieces[at + 1]!.from, "");
  return splice(text, pieces[at - 1]!.to, to, "");
}

/** Move an entry of a map or list to another place in it, with the comments above it. */
export function moveEntry(text: string, way: Way, from: number, to: number): string {
  const node = nodeAt(document(text), way);
  if (!(isMap(node) || isSeq(node)) || !node.items[from] || !node.items[to]) throw new EditError(`there is no ${way.join(".")}`);
  const pieces = piecesOf(text, node);
  const spans = pieces.map((piece, at) =>
    node.flow ? piece : { from: at === 0 ? lineStart(text, piece.from) : lineEnd(text, pieces[at - 1]!.to) + 1, to: lineEnd(text, piece.to) },
  );
  const order = spans.map((_, at) => at);
  order.splice(to, 0, ...order.splice(from, 1));
  let result = text.slice(0, spans[0]!.from);
  spans.forEach((span, at) => {
    const taken = spans[order[at]!]!;
    result += text.slice(taken.from, taken.to) + text.slice(span.to, spans[at + 1]?.from ?? span.to);
  });
  return result + text.slice(spans.at(-1)!.to);
}

function splice(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((value, at) => same(value, other[at]));
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && same(one[name], other[name]));
}
