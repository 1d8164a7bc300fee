/** What a person does in the designer, as edits of the text; each changes the lines it must and no other. Pure. */
import { addItem, moveEntry, removeAt, setValue } from "@/lib/yaml/edit";
import { valueAt } from "@/lib/yaml/nodes";
import { designOf, listOf, type Verb } from "./model";

/** What a name must be like. */
export const NAME = /^[a-z][a-z0-9_]{0,62}$/;

export function addEntity(text: string, name: string, title: string, label: string): string {
  const entity = {
    ...(title && { title }),
    label,
    schema: { required: [label], properties: { [label]: { type: "string", maxLength: 120, searchable: true } } },
    access: { read: [{ role: "authenticated" }], write: [{ role: "admin" }], delete: [{ role: "admin" }] },
  };
  return setValue(text, ["entities", name], entity);
}

/** Take an entity out of the file; its rows are archived when that is applied. */
export function removeEntity(text: string, name: string): string {
  return removeAt(text, ["entities", name]);
}

export function addField(text: string, entity: string, name: string, schema: Record<string, unknown>, required: boolean): string {
  const result = setValue(text, ["entities", entity, "schema", "properties", name], schema);
  return required ? setRequired(result, entity, name, true) : result;
}

/** Make a field what `schema` says; what it does not name goes, but for a line `renamed_from`. */
export function changeField(text: string, entity: string, name: string, schema: Record<string, unknown>, required: boolean): string {
  return setRequired(setValue(text, ["entities", entity, "schema", "properties", name], schema), entity, name, required);
}

export function setRequired(text: string, entity: string, name: string, required: boolean): string {
  const way = ["entities", entity, "schema", "required"];
  const names = listOf(valueAt(text, way));
  if (names.includes(name) === required) return text;
  if (!required) return names.length === 1 ? removeAt(text, way) : setValue(text, way, names.filter((one) => one !== name));
  if (names.length > 0) return addItem(text, way, name);
  return before(text, entity, [name]);
}

/** `required` stands before the properties, where it is read first. */
function before(text: string, entity: string, names: string[]): string {
  const way = ["entities", entity, "schema"];
  const keys = Object.keys((valueAt(text, way) ?? {}) as object);
  const added = setValue(text, [...way, "required"], names);
  return keys.includes("properties") ? moveEntry(added, way, keys.length, keys.indexOf("properties")) : added;
}

/** Take a field out of the file, and out of `required`; its values are archived when that is applied. */
export function removeField(text: string, entity: string, name: string): string {
  return removeAt(setRequired(text, entity, name, false), ["entities", entity, "schema", "properties", name]);
}

export function addEntry(text: string, entity: string, verb: Verb, entry: Record<string, unknown>): string {
  const way = ["entities", entity, "access", verb];
  return valueAt(text, way) === undefined ? setValue(text, way, [entry]) : addItem(text, way, entry);
}

export function changeEntry(text: string, entity: string, verb: Verb, at: number | null, entry: Record<string, unknown>): string {
  return setValue(text, ["entities", entity, "access", verb, ...(at === null ? [] : [at])], entry);
}

/** Take an access entry away; the last of a verb takes the verb along. */
export function removeEntry(text: string, entity: string, verb: Verb, at: number | null): string {
  const way = ["entities", entity, "access", verb];
  const entries = valueAt(text, way);
  return at === null || (Array.isArray(entries) && entries.length === 1) ? removeAt(text, way) : removeAt(text, [...way, at]);
}

export function setRole(text: string, name: string, inherits: string[]): string {
  const way = designOf(text).roles.find((role) => role.name === name)?.way;
  if (way) return setValue(text, [...way, "inherits"], inherits.length ? inherits : undefined);
  return setValue(text, ["roles", name], inherits.length ? { inherits } : {});
}

/** The schema a relation's field has. */
export function relation(to: string, onDelete: string): Record<string, unknown> {
  return { references: to, onDelete };
}
