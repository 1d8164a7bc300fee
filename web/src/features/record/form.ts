/** The state of a form over one row: what is typed, what differs from what was loaded, what the server said of it. */
import { useCallback, useMemo, useState } from "react";
import type { Problem } from "@/lib/api/problem";
import type { Row } from "@/lib/rows/columns";
import { holds } from "@/lib/schema/conditions";
import type { Entity, Field, FormView } from "@/lib/schema/types";
import { useMe } from "@/lib/session/session";

export interface Section {
  title: FormView["title"];
  columns: number;
  fields: Field[];
}

export interface RowForm {
  entity: Entity;
  values: Row;
  base: Row;
  set: (name: string, value: unknown) => void;
  /** Only what differs from what was loaded. */
  changes: Row;
  dirty: boolean;
  sections: Section[];
  errorAt: (pointer: string) => string | undefined;
  blame: (problem: Problem) => void;
  /** Mark what has to be filled in; whether nothing was missing. */
  complete: (told: string) => boolean;
  requiredNow: (field: Field) => boolean;
  readOnlyNow: (field: Field) => boolean;
  help: (field: Field) => FormView["fields"][string] | undefined;
}

export const same = (a: unknown, b: unknown) => a === b || (a ?? null) === (b ?? null) || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** What a new row begins with: the defaults the file writes out. */
export function defaultsOf(entity: Entity): Row {
  const entries = Object.values(entity.fields).filter((field) => field.default !== undefined && field.writable);
  return Object.fromEntries(entries.map((field) => [field.name, field.default]));
}

export function useRowForm(entity: Entity, base: Row, creating: boolean, typed: Row = {}): RowForm {
  const me = useMe();
  const [drafts, setDrafts] = useState<Row>(typed);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const verb = me.can[entity.name]?.[creating ? "create" : "update"];

  const values = useMemo(() => ({ ...base, ...drafts }), [base, drafts]);
  const changes = useMemo(
    () => Object.fromEntries(Object.entries(drafts).filter(([name, value]) => entity.fields[name] && (creating || !same(value, base[name])))),
    [drafts, base, creating, entity],
  );
  const scope = useMemo(() => ({ self: values, user: { id: me.user?.id, email: me.user?.email, role: me.user?.role } }), [values, me]);
  const view = entity.views["form"]?.type === "form" ? (entity.views["form"] as FormView) : undefined;

  const sections = useMemo(() => {
    const forced = new Set(verb?.forced ?? []);
    const mine = new Set((verb?.fields ?? []).filter((name) => !forced.has(name)));
    const usable = (name: string) => {
      const field = entity.fields[name];
      const state = entity.workflow?.field === name;
      const key = name === entity.key && field?.generated;
      return field !== undefined && mine.has(name) && !state && !key && holds(view?.fields[name]?.visible_if, scope, true) ? field : undefined;
    };
    const found = (names: string[]) => names.map(usable).filter((field): field is Field => field !== undefined);
    const made: Section[] = (view?.sections ?? [])
      .filter((section) => holds(section.visible_if, scope, true))
      .map((section) => ({ title: section.title, columns: section.columns, fields: found(section.fields) }));
    const named = new Set((view?.sections ?? []).flatMap((section) => section.fields));
    const rest = found(Object.keys(entity.fields).filter((name) => !named.has(name)));
    if (rest.length > 0) made.push({ title: {}, columns: 2, fields: rest });
    return made.filter((section) => section.fields.length > 0);
  }, [entity, verb, view, scope]);

  const requiredNow = useCallback((field: Field) => field.required || holds(view?.fields[field.name]?.required_if, scope, false), [view, scope]);
  const set = useCallback((name: string, value: unknown) => {
    setDrafts((before) => ({ ...before, [name]: value }));
    setErrors((before) => Object.fromEntries(Object.entries(before).filter(([pointer]) => pointer !== `/${name}` && !pointer.startsWith(`/${name}/`))));
  }, []);

  return {
    entity,
    values,
    base,
    set,
    changes,
    dirty: Object.keys(changes).length > 0,
    sections,
    errorAt: (pointer) => errors[pointer],
    blame: (problem) => setErrors(Object.fromEntries(problem.errors.map(({ pointer, detail }) => [pointer, detail]))),
    complete: (told) => {
      const missing = sections
        .flatMap((section) => section.fields)
        .filter((field) => requiredNow(field) && field.kind !== "boolean" && (values[field.name] ?? "") === "" && !(creating && field.has_default));
      setErrors(Object.fromEntries(missing.map((field) => [`/${field.name}`, told])));
      return missing.length === 0;
    },
    requiredNow,
    readOnlyNow: (field) => holds(view?.fields[field.name]?.read_only_if, scope, false),
    help: (field) => view?.fields[field.name],
  };
}
