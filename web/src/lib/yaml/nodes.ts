/** Where things stand in a YAML text: nodes by their way, and the characters that are theirs alone. Pure. */
import { isCollection, isMap, isScalar, isSeq, parseDocument, type Document, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";

/** A way through a document: keys, and places in lists. */
export type Way = (string | number)[];

/** What a text is, or an edit, cannot be done with; the message says why. */
export class EditError extends Error {}

/** The document of a text.
 *
 * @throws EditError with the line, when it is no YAML.
 */
export function document(text: string): Document {
  if (text === last?.text) return last.found;
  const found = parseDocument(text, { logLevel: "silent", prettyErrors: true });
  const broken = found.errors[0];
  if (broken) throw new EditError(broken.message.split("\n")[0]!);
  last = { text, found };
  return found;
}

/** The text read last: an edit asks several times about the same one. Nobody changes a document. */
let last: { text: string; found: Document } | undefined;

/** The node at a way: null where a key has no value, undefined where nothing is. */
export function nodeAt(doc: Document, way: Way): Node | null | undefined {
  let node: Node | null | undefined = doc.contents;
  for (const step of way) {
    if (isMap(node) && typeof step === "string") node = pairOf(node, step)?.value as Node | null | undefined;
    else if (isSeq(node) && typeof step === "number") node = node.items[step] as Node | undefined;
    else return undefined;
  }
  return node;
}

export function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => keyOf(pair) === key);
}

export function keyOf(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

/** The value at a way as plain data; undefined where nothing is. */
export function valueAt(text: string, way: Way): unknown {
  const doc = document(text);
  const node = nodeAt(doc, way);
  return node === undefined ? undefined : node === null ? null : node.toJS(doc);
}

export function isFlow(node: Node | null | undefined): boolean {
  return isCollection(node) && Boolean(node.flow);
}

/** Whether a key has nothing behind its colon. */
export function isEmpty(text: string, node: Node | null | undefined): boolean {
  return node === null || (isScalar(node) && node.value === null && !/[~\w]/.test(text.slice(...(node.range ?? [0, 0]).slice(0, 2))));
}

export function startOf(node: Node): number {
  return node.range![0];
}

/** Where a node's own characters end: without the comments and blank lines behind it. */
export function endOf(text: string, node: Node): number {
  if (isCollection(node) && !node.flow && node.items.length > 0) {
    const last = node.items.at(-1) as Node | Pair;
    return "key" in last ? pairEnd(text, last) : endOf(text, last);
  }
  const [start, end] = node.range!;
  if (isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED")) return start + text.slice(start, end).trimEnd().length;
  return end;
}

export function pairStart(pair: Pair): number {
  return startOf(pair.key as Node);
}

export function pairEnd(text: string, pair: Pair): number {
  const value = pair.value as Node | null;
  return isEmpty(text, value) ? colonOf(text, pair) : endOf(text, value!);
}

/** The place behind a key's colon. */
export function colonOf(text: string, pair: Pair): number {
  return text.indexOf(":", (pair.key as Scalar).range![1]) + 1;
}

/** The entries of a collection with where they begin and end, a list's dash left out. */
export function piecesOf(text: string, node: YAMLMap | YAMLSeq): { from: number; to: number }[] {
  return (node.items as (Node | Pair)[]).map((item) =>
    "key" in item ? { from: pairStart(item), to: pairEnd(text, item) } : { from: startOf(item), to: endOf(text, item) },
  );
}

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** Where a line ends, before its break. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** The line of a place, from 1. */
export function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/** The line on which what a way leads to begins, its key's where it has one; 0 where nothing is. */
export function lineAt(text: string, way: Way): number {
  const doc = document(text);
  const parent = nodeAt(doc, way.slice(0, -1));
  const step = way.at(-1);
  if (isMap(parent) && typeof step === "string") {
    const pair = pairOf(parent, step);
    return pair ? lineOf(text, pairStart(pair)) : 0;
  }
  const node = nodeAt(doc, way);
  return node ? lineOf(text, startOf(node)) : 0;
}
