/** Every edit changes the value it says, and no line but its own; over texts in every style and a tenant file of this repository. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { addItem, addKey, moveEntry, removeAt, renameKey, setValue } from "./edit";
import { EditError, lineAt, valueAt, type Way } from "./nodes";
import { isObject } from "./write";

const TEXT = `# of a person
entities:
  notes:    # the notes
    schema:
      required: [title]
      properties:
        title:  { type: string }   # said aloud
        # how long it is
        length: { type: integer }
    rules:
      - rule: self.length > 0
        message: 'Too "short"'
      - rule: self.length < 9
  empty:
roles: {}
`;

const STYLES = `a: {
  b: 1,  # one
  c: "two",   # two
}
d: [
  x,
  'y', # why
]
"quoted key":
  - plain   # item
  # of its own
  - [1, 2, 3]
  -   deep: {  wide:   yes }
      more: |
        lines of
        text

      last: >-
        folded
# the end
`;
const FILES = [TEXT, STYLES, readFileSync(new URL("../../../../schemas/sample-crm.yaml", import.meta.url), "utf8").split("\n  contacts:")[0]!];

/** Every way through a value. */
function ways(value: unknown, way: Way = []): Way[] {
  const inner = Array.isArray(value) ? value.map((one, at) => ways(one, [...way, at])) : isObject(value) ? Object.entries(value).map(([name, one]) => ways(one, [...way, name])) : [];
  return [...(way.length ? [way] : []), ...inner.flat()];
}

/** Lines that only one of two texts has, counted. */
function touched(before: string, after: string): { gone: number; come: number } {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < Math.min(old.length, fresh.length) && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, fresh.length) - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  return { gone: old.length - head - tail, come: fresh.length - head - tail };
}

function set(value: unknown, way: Way, change: (parent: Record<string | number, unknown>, last: string | number) => void): unknown {
  const copy = structuredClone(value);
  change(way.slice(0, -1).reduce((inner: unknown, step) => (inner as Record<string | number, unknown>)[step], copy) as Record<string | number, unknown>, way.at(-1)!);
  return copy;
}

const VALUES = ["plain_word", "a, b: {c} # d", "it's \"so\"", "on", "12", ""];

/** Some ten places, spread over the whole text. */
function sampled(text: string, wanted: (value: unknown, way: Way) => boolean): Way[] {
  const found = ways(parse(text)).filter((way) => wanted(valueAt(text, way), way));
  return found.filter((_, at) => at % Math.ceil(found.length / 10) === 0);
}

describe.each(FILES)("a tenant file", (text) => {
  it("has one line changed by another scalar", () => {
    sampled(text, (value) => typeof value === "string").forEach((way, at) => {
      const value = VALUES[at % VALUES.length]!;
      const after = setValue(text, way, value);
      expect(parse(after), way.join(".")).toEqual(set(parse(text), way, (parent, last) => (parent[last] = value)));
      const height = text === STYLES && ["more", "last"].includes(String(way.at(-1))) ? 2 : 1;
      expect(touched(text, after).gone, way.join(".")).toBeLessThanOrEqual(height);
      expect(touched(text, after).come, way.join(".")).toBe(1);
    });
  });

  it("loses an entry with its lines alone", () => {
    for (const way of sampled(text, () => true)) {
      const after = removeAt(text, way);
      const left = set(parse(text), way, (parent, last) => (Array.isArray(parent) ? parent.splice(Number(last), 1) : Reflect.deleteProperty(parent, last)));
      expect(parse(after), way.join(".")).toEqual(left);
      expect(touched(text, after).come, way.join(".")).toBeLessThanOrEqual(1);
    }
  });

  it("takes a further key, and gives it back", () => {
    for (const way of sampled(text, isObject)) {
      const after = addKey(text, way, "brand_new", { type: "string", enum: ["a b", "no"] });
      expect(parse(after), way.join(".")).toEqual(set(parse(text), way, (parent, last) => ((parent[last] as Record<string, unknown>).brand_new = { type: "string", enum: ["a b", "no"] })));
      const { gone, come } = touched(text, after);
      expect(gone, `${way.join(".")}: ${gone} lines gone, ${come} come`).toBeLessThanOrEqual(1);
      if (Object.keys(valueAt(text, way) as object).length) expect(removeAt(after, [...way, "brand_new"])).toBe(text);
    }
  });

  it("has one line changed by a key's other name", () => {
    for (const way of sampled(text, (_, found) => typeof found.at(-1) === "string")) {
      const after = renameKey(text, way, "brand_new");
      expect(touched(text, after)).toEqual({ gone: 1, come: 1 });
      expect(renameKey(after, [...way.slice(0, -1), "brand_new"], String(way.at(-1)))).toBe(text);
    }
  });

  it("takes items, and has them in another order", () => {
    for (const way of sampled(text, (value) => Array.isArray(value) && value.length > 0)) {
      const value = valueAt(text, way) as unknown[];
      const at = way.length % (value.length + 1);
      const after = addItem(text, way, { a: 1 }, at);
      expect(valueAt(after, way), way.join(".")).toEqual(value.toSpliced(at, 0, { a: 1 }));
      expect(removeAt(after, [...way, at])).toBe(text);
      const last = value.length - 1;
      expect(valueAt(moveEntry(text, way, last, 0), way)).toEqual([value[last], ...value.slice(0, last)]);
      expect(moveEntry(moveEntry(text, way, last, 0), way, 0, last), way.join(".")).toBe(text);
    }
  });
});


it("keeps comments, quotes and the alignment of columns", () => {
  expect(addKey(TEXT, ["entities", "notes", "schema", "properties"], "by", { type: "string" })).toContain("length: { type: integer }\n        by:     { type: string }\n    rules");
  expect(addKey(TEXT, ["entities", "notes", "schema", "properties"], "by", 1, "title")).toContain("# said aloud\n        by:     1\n        # how long");
  expect(setValue(TEXT, ["entities", "notes", "rules", 0, "message"], "it's")).toContain("message: 'it''s'");
  expect(setValue(TEXT, ["entities", "notes", "schema", "required"], ["title", "length"])).toContain("required: [title, length]\n");
  expect(setValue(TEXT, ["entities", "notes", "rules", 0, "rule"], undefined)).toContain("      - message: 'Too");
  expect(addItem(TEXT, ["entities", "notes", "rules"], { rule: "true" })).toContain("self.length < 9\n      - rule: \"true\"\n  empty:");
});

it("opens what is empty", () => {
  expect(setValue(TEXT, ["roles", "lead", "inherits"], ["member"])).toContain("roles: { lead: { inherits: [member] } }");
  expect(setValue(TEXT, ["entities", "empty", "schema", "properties", "name"], { type: "string" })).toContain("  empty:\n    schema:\n      properties:\n        name: { type: string }\nroles");
  expect(setValue("a: 1\n", ["entities", "x"], { schema: {} })).toBe("a: 1\nentities:\n  x:\n    schema: {}\n");
  expect(setValue("", ["a"], 1)).toBe("a: 1\n");
});

it("goes on in collections that stand in braces on several lines", () => {
  const text = "a: {\n  b: 1,  # one\n  c: 2   # two\n}\nd: [\n  x,\n  y,\n]\n";
  expect(setValue(text, ["a", "e"], 3)).toBe("a: {\n  b: 1,  # one\n  c: 2,   # two\n  e: 3\n}\nd: [\n  x,\n  y,\n]\n");
  expect(setValue(text, ["d"], ["x", "y", "z"])).toContain("  y,\n  z,\n]");
  expect(removeAt(text, ["a", "b"])).toContain("a: {\n  c: 2");
});

it("makes a list of a single value that stood for one", () => {
  expect(addItem("read: member\n", ["read"], { role: "lead" })).toBe("read: [member, { role: lead }]\n");
});

it("says why it cannot", () => {
  expect(() => removeAt(TEXT, ["entities", "none"])).toThrow(EditError);
  expect(() => setValue("a: [", ["a"], 1)).toThrow(/line 1/);
  expect(() => renameKey(TEXT, ["entities", "notes"], "empty")).toThrow("empty is there already");
});

it("finds lines", () => {
  expect(lineAt(TEXT, ["entities", "notes", "schema", "properties", "length"])).toBe(9);
  expect(lineAt(TEXT, ["entities", "notes", "rules", 1])).toBe(13);
  expect(lineAt(TEXT, ["entities", "none"])).toBe(0);
});
