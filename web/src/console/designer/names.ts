/**
 * Where a text of the file names a field or an entity: chains such as `self.customer.name` are followed from entity
 * to entity, so that only what means the renamed thing gets its new name. Pure; called by `rename`.
 */
import { relationOf, type Design, type Entity } from "./model";

/** A rename of an entity (`field` is "") or of one of its fields. */
export interface Renaming {
  entity: string;
  field: string;
  to: string;
}

/** What a text is read as. */
export type Reading = "cel" | "path" | "filter" | "select" | "template" | "entity" | "event";

/** A text with its new names, and whether the old one is left somewhere that nobody can tell the meaning of. */
export interface Renamed {
  text: string;
  unsure: boolean;
}

const CHAIN = /[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*/g;
const LITERALS = /'(?:[^'\\]|\\.)*'|\\?"(?:[^"\\]|\\[^"])*\\?"/g;
const MACRO = /^(?:all|exists|exists_one|filter|map)$/;

export class Names {
  private readonly entities: Map<string, Entity>;

  constructor(design: Design, private readonly renaming: Renaming) {
    this.entities = new Map(design.entities.map((entity) => [entity.name, entity]));
  }

  renamed(text: string, reading: Reading, home: string | null): Renamed {
    if (reading === "entity") return { text: this.entity(text), unsure: false };
    if (reading === "event") return { text: text.replace(/^(\w+)(?=[.:])/, (name) => this.entity(name)), unsure: false };
    if (reading === "cel") return this.cel(text, home);
    if (reading === "template") return this.template(text, home);
    if (reading === "select") return this.select(text, home);
    const starts = reading === "filter" ? /(^|[&(,])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)/g : /(^|[^\w.])\.?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)/g;
    const masked = reading === "filter" ? /in\.\([^)]*\)/g : /(?!)/g;
    let unsure = false;
    const result = outside(text, masked, (part) =>
      part.replace(starts, (all, _head: string, chain: string) => {
        const found = this.chain(chain.split("."), home);
        unsure ||= found.unsure;
        return all.slice(0, all.length - chain.length) + found.segments.join(".");
      }),
    );
    return { text: result, unsure };
  }

  private entity(name: string): string {
    return this.renaming.field === "" && name === this.renaming.entity ? this.renaming.to : name;
  }

  private template(text: string, home: string | null): Renamed {
    let unsure = false;
    const result = text.replace(/\{\{(.*?)\}\}/g, (_, inner: string) => {
      const found = this.cel(inner, home);
      unsure ||= found.unsure;
      return `{{${found.text}}}`;
    });
    return { text: result, unsure };
  }

  private cel(text: string, home: string | null): Renamed {
    const roots = new Map<string, string | null>([["self", home], ["old", home], ["oldSelf", home]]);
    for (const found of text.replace(LITERALS, "").matchAll(/([A-Za-z_][\w.]*)\.(\w+)\(\s*(\w+)\s*,/g)) {
      const [, way, macro, variable] = found as unknown as [string, string, string, string];
      const [root, ...segments] = way.split(".");
      if (MACRO.test(macro) && !roots.has(variable)) roots.set(variable, roots.has(root!) ? this.chain(segments, roots.get(root!) ?? null).end : null);
    }
    let unsure = false;
    const result = outside(text, LITERALS, (part) =>
      part.replace(CHAIN, (chain, at: number) => {
        if (/[\w.]/.test(part[at - 1] ?? "")) return chain;
        const [root, ...segments] = chain.split(/\s*\.\s*/);
        if (!roots.has(root!) || !segments.length) {
          unsure ||= root !== "user" && segments.includes(this.renaming.field);
          return chain;
        }
        const found = this.chain(segments, roots.get(root!) ?? null);
        unsure ||= found.unsure;
        return [root, ...found.segments].join(".");
      }),
    );
    return { text: result, unsure };
  }

  private select(text: string, home: string | null): Renamed {
    const homes: (string | null)[] = [home];
    let unsure = false;
    const result = text.replace(/([A-Za-z_][\w.]*)(\()?|\)/g, (all, chain: string | undefined, opens: string | undefined) => {
      if (chain === undefined) {
        homes.pop();
        return all;
      }
      const found = this.chain(chain.split("."), homes.at(-1) ?? null);
      if (opens) homes.push(found.end);
      unsure ||= found.unsure;
      return found.segments.join(".") + (opens ?? "");
    });
    return { text: result, unsure };
  }

  /** Follow a chain from an entity; `end` is the entity it leads to. */
  private chain(segments: string[], home: string | null): { segments: string[]; end: string | null; unsure: boolean } {
    const { entity: renamed, field, to } = this.renaming;
    const result = [...segments];
    let here = home;
    for (const [at, segment] of segments.entries()) {
      const entity = here === null ? undefined : this.entities.get(here);
      if (!entity) return { segments: result, end: null, unsure: field !== "" && segments.slice(at).includes(field) };
      const mine = here === renamed;
      const column = entity.fields.find(({ name }) => name === segment);
      const along = entity.fields.find(({ name, references }) => references && relationOf(name) === segment);
      if (mine && field !== "" && segment === field) result[at] = to;
      else if (mine && along && along.name === field) result[at] = relationOf(to);
      if (along) {
        here = along.references;
        continue;
      }
      if (column) return { segments: result, end: null, unsure: false };
      const other = this.inverse(segment, here!);
      if (!other) return { segments: result, end: null, unsure: false };
      if (field === "" && other.entity === renamed) result[at] = to + segment.slice(renamed.length);
      else if (other.entity === renamed && other.by === field && field !== "") result[at] = `${renamed}_by_${to}`;
      here = other.entity;
    }
    return { segments: result, end: here, unsure: false };
  }

  /** The entity whose rows a name such as `tasks` or `tasks_by_owner_id` means, seen from another. */
  private inverse(segment: string, from: string): { entity: string; by: string } | null {
    for (const { name, fields } of this.entities.values())
      for (const field of fields) {
        if (field.references !== from) continue;
        if (segment === name) return { entity: name, by: "" };
        if (segment === `${name}_by_${field.name}`) return { entity: name, by: field.name };
      }
    return null;
  }
}

/** Change a text but for what a pattern finds in it. */
function outside(text: string, pattern: RegExp, change: (part: string) => string): string {
  let result = "";
  let at = 0;
  for (const found of text.matchAll(pattern)) {
    result += change(text.slice(at, found.index)) + found[0];
    at = found.index + found[0].length;
  }
  return result + change(text.slice(at));
}
