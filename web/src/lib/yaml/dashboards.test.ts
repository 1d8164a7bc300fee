/** Widgets are edited where they stand, and findings are told of the widget they are in. */
import { expect, it } from "vitest";
import type { Schema } from "../schema/types";
import { added, begun, changed, changesOf, drawn, moved, nameFor, removed, widgetAt, widgetsOf, written } from "./dashboards";

const TEXT = `dashboards:
  desk:   # the first
    widgets:
      # what waits
      - { type: metric, entity: jobs }   # counted
      - type: bar
        entity: jobs
        by: kind
reports: {}
`;
const schema = { languages: ["en", "de"] } as Schema;

it("edits a widget and keeps what a person wrote around it", () => {
  expect(changed("desk", 0, { type: "metric", entity: "jobs", width: 2 })(TEXT)).toBe(TEXT.replace("entity: jobs }", "entity: jobs, width: 2 }"));
  const turned = moved("desk", 0, 1)(TEXT);
  expect(widgetsOf(turned, "desk").map(({ type }) => type)).toEqual(["bar", "metric"]);
  // a comment behind a widget goes along; the one above the first stays where the list begins
  expect(turned).toContain("    widgets:\n      # what waits\n      - type: bar");
  expect(turned).toContain("- { type: metric, entity: jobs }   # counted");
  expect(widgetsOf(added("desk", { type: "pie", entity: "jobs", by: "state" })(TEXT), "desk")).toHaveLength(3);
  expect(removed("desk", 1)(TEXT)).toContain("# counted\nreports: {}");
});

it("writes only what is not the default", () => {
  const widget = drawn({ type: "bar", entity: "jobs", title: "Work" }, schema);
  expect(widget).toMatchObject({ value: "count()", limit: 10, title: { en: "Work" } });
  expect(written({ ...widget, limit: 5 }, schema)).toEqual({ type: "bar", title: { en: "Work" }, entity: "jobs", limit: 5 });
});

it("finds the widget of a line, and the lines of a change", () => {
  expect([1, 5, 6, 8, 9].map((line) => widgetAt(TEXT, "desk", line))).toEqual([-1, 0, 1, 1, -1]);
  const told = changesOf(TEXT, TEXT.replace("by: kind", "by: state"));
  expect(told.filter(({ kind }) => kind !== "same")).toEqual([
    { kind: "gone", line: 8, text: "        by: kind" },
    { kind: "new", line: 8, text: "        by: state" },
  ]);
});

it("begins a dashboard behind those there are, or the first one", () => {
  expect(nameFor(TEXT, "Größe & 2nd Désk")).toBe("gro_e_2nd_desk");
  expect([nameFor(TEXT, "Desk"), nameFor(TEXT, "日本"), nameFor("", "7 days")]).toEqual(["desk_2", "dashboard", "days"]);
  const begin = begun("office", "Office", "de", schema);
  const one = added("office", { type: "metric", entity: "jobs" });
  expect(one(begin(TEXT))).toBe(
    TEXT.replace("reports:", "  office:\n    title: { de: Office }\n    widgets:\n      - { type: metric, entity: jobs }\nreports:"),
  );
  expect(widgetsOf(one(begin("version: 1\n")), "office")).toEqual([{ type: "metric", entity: "jobs" }]);
  expect(one(begun("office", "Office", "en", { languages: ["en"] } as Schema)("dashboards: {}\n"))).toContain("title: Office");
});
