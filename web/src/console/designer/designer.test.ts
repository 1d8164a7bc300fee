/** What the designer does to a text: only the lines it must, and a new name everywhere it is meant. */
import { parse } from "yaml";
import { expect, it } from "vitest";
import { addEntity, addEntry, addField, changeEntry, changeField, removeEntry, removeField, setRole } from "./edits";
import { designOf } from "./model";
import { rename } from "./rename";

const TEXT = `version: 1
roles: { clerk: {} }
let:
  mine: self.owner_id == user.id     # used by invoices alone
entities:
  customers:
    label: name
    schema:
      properties:
        name: { type: string }       # who pays
        owed: { type: number, computed: "self.invoices.filter(i, i.net > 0).map(i, i.net).sum()" }
  invoices:
    label: number
    schema:
      required: [number, net]
      properties:
        number: { type: string, unique: true }
        customer_id: { references: customers, onDelete: restrict }
        owner_id: { references: users }
        net: { type: number }
        kind: { type: string, enum: [net, gross] }
    indexes: [ { fields: [net, number], where: self.net > 0 } ]
    rules:
      - { rule: "self.net >= 0 && self.kind != 'net'", message: The net is less than nothing, fieldPath: .net }
    access:
      read: [ { role: clerk, rule: mine, hide: [net] }, { role: admin } ]
      create: clerk
    views:
      list: { columns: [number, customer.name, net], sort: -net, filter: "net=gt.5&kind=in.(net,gross)" }
      form: { fields: { net: { visible_if: self.net > 1 } } }
    tests:
      - { as: { role: clerk }, given: { net: 5 }, may: [read], hidden: [net] }
dashboards: { desk: { widgets: [ { type: metric, entity: invoices, value: net.sum(), by: customer.name } ] } }
webhooks: { out: { url: "https://x.example", events: [invoices.*], when: self.net > 1, select: "number,net,customer(name)" } }
`;

function lines(before: string, after: string): string[] {
  const old = before.split("\n");
  return after.split("\n").filter((line) => !old.includes(line));
}

it("reads entities, relations, access and roles with their lines", () => {
  const { entities, roles } = designOf(TEXT);
  expect(entities.map(({ name, line }) => [name, line])).toEqual([["customers", 6], ["invoices", 12]]);
  expect(entities[1]!.fields.map(({ name, kind, required, unique }) => [name, kind, required, unique])).toEqual([
    ["number", "text", true, true], ["customer_id", "→ customers", false, false], ["owner_id", "→ users", false, false], ["net", "number", true, false], ["kind", "choice", false, false],
  ]);
  expect(entities[1]!.access.map(({ verb, at, role, line }) => [verb, at, role, line])).toEqual([["read", 0, "clerk", 26], ["read", 1, "admin", 26], ["create", null, "clerk", 27]]);
  expect(roles.map(({ name }) => name)).toEqual(["clerk"]);
});

it("renames a field wherever it is meant, and keeps its data", () => {
  const { text, unsure } = rename(TEXT, TEXT, { entity: "invoices", field: "net", to: "amount" });
  expect(text).toBe(
    TEXT.replace("i.net > 0).map(i, i.net)", "i.amount > 0).map(i, i.amount)")
      .replace("required: [number, net]", "required: [number, amount]")
      .replace("net: { type: number }", "amount: { type: number, renamed_from: net }")
      .replace("fields: [net, number], where: self.net", "fields: [amount, number], where: self.amount")
      .replace("self.net >= 0", "self.amount >= 0").replace("fieldPath: .net", "fieldPath: .amount")
      .replace("hide: [net]", "hide: [amount]")
      .replace("customer.name, net], sort: -net, filter: \"net=", "customer.name, amount], sort: -amount, filter: \"amount=")
      .replace("{ net: { visible_if: self.net", "{ amount: { visible_if: self.amount")
      .replace("given: { net: 5 }, may: [read], hidden: [net]", "given: { amount: 5 }, may: [read], hidden: [amount]")
      .replace("value: net.sum()", "value: amount.sum()")
      .replace("when: self.net > 1, select: \"number,net", "when: self.amount > 1, select: \"number,amount"),
  );
  expect(unsure).toEqual([]);
  expect(rename(text, TEXT, { entity: "invoices", field: "amount", to: "sum" }).text).toContain("sum: { type: number, renamed_from: net }");
  expect(rename(text, text, { entity: "invoices", field: "amount", to: "sum" }).text).toContain("sum: { type: number, renamed_from: [amount, net] }");
  expect(rename(text, TEXT, { entity: "invoices", field: "amount", to: "net" }).text).toBe(TEXT);
});

it("renames what a relation is called by", () => {
  const { text } = rename(TEXT, TEXT, { entity: "invoices", field: "customer_id", to: "payer_id" });
  expect(lines(TEXT, text)).toEqual([
    "        payer_id: { references: customers, onDelete: restrict, renamed_from: customer_id }",
    "      list: { columns: [number, payer.name, net], sort: -net, filter: \"net=gt.5&kind=in.(net,gross)\" }",
    "dashboards: { desk: { widgets: [ { type: metric, entity: invoices, value: net.sum(), by: payer.name } ] } }",
    "webhooks: { out: { url: \"https://x.example\", events: [invoices.*], when: self.net > 1, select: \"number,net,payer(name)\" } }",
  ]);
  expect(rename(TEXT, TEXT, { entity: "invoices", field: "owner_id", to: "clerk_id" }).text).toContain("mine: self.clerk_id == user.id");
});

it("renames an entity", () => {
  const { text } = rename(TEXT, TEXT, { entity: "invoices", field: "", to: "bills" });
  expect(lines(TEXT, text)).toEqual([
    "        owed: { type: number, computed: \"self.bills.filter(i, i.net > 0).map(i, i.net).sum()\" }",
    "  bills:",
    "    renamed_from: invoices",
    "dashboards: { desk: { widgets: [ { type: metric, entity: bills, value: net.sum(), by: customer.name } ] } }",
    "webhooks: { out: { url: \"https://x.example\", events: [bills.*], when: self.net > 1, select: \"number,net,customer(name)\" } }",
  ]);
});

it("lists what it cannot be sure of", () => {
  const shared = TEXT.replace("create: clerk", "create: clerk\n      update: [ { role: clerk, rule: \"thing.net > 1\" } ]");
  expect(rename(shared, shared, { entity: "invoices", field: "net", to: "amount" }).unsure).toEqual([28]);
});

it("adds and changes with the lines that must", () => {
  expect(lines(TEXT, addField(TEXT, "customers", "email", { type: "string", format: "email" }, true))).toEqual([
    "      required: [email]", "        email: { type: string, format: email }",
  ]);
  expect(lines(TEXT, changeField(TEXT, "customers", "name", { type: "string", unique: true }, false))).toEqual([
    "        name: { type: string, unique: true }       # who pays",
  ]);
  const removed = removeField(TEXT, "invoices", "number");
  expect(lines(TEXT, removed)).toEqual(["      required: [net]"]);
  expect(lines(TEXT, addEntry(TEXT, "invoices", "create", { role: "admin" }))).toEqual(["      create: [clerk, { role: admin }]"]);
  expect(lines(TEXT, addEntry(TEXT, "customers", "read", { role: "clerk" }))).toEqual(["      read: [ { role: clerk } ]"]);
  expect(changeEntry(TEXT, "invoices", "read", 0, { role: "clerk", rule: "mine" })).toBe(TEXT.replace(", hide: [net] }", " }"));
  expect(removeEntry(TEXT, "invoices", "create", null)).toBe(TEXT.replace("      create: clerk\n", ""));
  expect(lines(TEXT, setRole(TEXT, "lead", ["clerk"]))).toEqual(["roles: { clerk: {}, lead: { inherits: [clerk] } }"]);
  const entities = parse(addEntity(TEXT, "tags", "Tags", "name")) as { entities: Record<string, unknown> };
  expect(Object.keys(entities.entities)).toEqual(["customers", "invoices", "tags"]);
});
