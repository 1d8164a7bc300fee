/** What the platform says of somebody's access, and where in the file each entry stands. */
import { designOf, type Entity, type Verb } from "../designer/model";

export type Asked = Exclude<Verb, "write">;
export const ASKED: Asked[] = ["read", "create", "update", "delete"];

export interface ExplainedEntry {
  index: number;
  role: string;
  mine: boolean;
  rule: string | null;
  check: string | null;
  fields: string[];
  /** Of a row: whether the rule holds. */
  holds?: boolean;
}

export interface Explanation {
  entity: string;
  declared: boolean;
  user: string | null;
  roles: string[];
  key?: string;
  deleted?: boolean;
  verbs: Record<Asked, ExplainedEntry[]>;
}

export type Verdict = "yes" | "if" | "no";

/** What one entry says: yes, no, or that it depends on a row, or on what is written. */
export function verdictOf(entry: ExplainedEntry, explanation: Explanation): Verdict {
  if (!entry.mine) return "no";
  if (entry.rule && explanation.key === undefined) return "if";
  if (entry.rule && !entry.holds) return "no";
  return entry.check ? "if" : "yes";
}

/** What all entries of a verb say together: they add up. */
export function together(entries: ExplainedEntry[], explanation: Explanation): Verdict {
  const found = entries.map((entry) => verdictOf(entry, explanation));
  return found.includes("yes") ? "yes" : found.includes("if") ? "if" : "no";
}

/** The entries that let somebody at a field, the surest first. */
export function lettingAt(field: string, verb: Asked, explanation: Explanation): ExplainedEntry[] {
  const rank: Verdict[] = ["yes", "if", "no"];
  return explanation.verbs[verb]
    .filter((entry) => entry.fields.includes(field) && verdictOf(entry, explanation) !== "no")
    .sort((one, other) => rank.indexOf(verdictOf(one, explanation)) - rank.indexOf(verdictOf(other, explanation)));
}

/** Lines of a verb's entries in the file; those of `write` come after the verb's own, as the server counts them. */
export function linesOf(entity: Entity | undefined, verb: Asked): number[] {
  const written = entity?.access ?? [];
  const shared = verb === "create" || verb === "update" ? written.filter((entry) => entry.verb === "write") : [];
  return [...written.filter((entry) => entry.verb === verb), ...shared].map(({ line }) => line);
}

export function entitiesOf(text: string): { entities: Entity[]; roles: string[] } {
  try {
    const { entities, roles } = designOf(text);
    return { entities, roles: roles.map(({ name }) => name) };
  } catch {
    return { entities: [], roles: [] };
  }
}
