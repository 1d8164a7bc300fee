/** Filters as people build them, and as the API's grammar writes them: `status=in.(sent,paid)`. */
import type { Field } from "../schema/types";

export type Operator = "eq" | "neq" | "gt" | "gte" | "lt" | "lte" | "has" | "in" | "empty" | "filled" | "holds";

export interface Filter {
  field: string;
  operator: Operator;
  /** One value, or several for "in". */
  value: string[];
}

const ORDERED: Operator[] = ["eq", "gt", "gte", "lt", "lte"];

export function operatorsOf(field: Field): Operator[] {
  const empty: Operator[] = field.nullable ? ["empty", "filled"] : [];
  if (field.references) return ["in", ...empty];
  if (field.schema.enum) return ["in", ...empty];
  switch (field.kind) {
    case "boolean":
      return ["eq", ...empty];
    case "text":
      return ["has", "eq", "neq", ...empty];
    case "array":
      return ["holds", ...empty];
    case "json":
    case "file":
      return empty;
    default:
      return [...ORDERED, ...empty];
  }
}

const needsNothing = (operator: Operator) => operator === "empty" || operator === "filled";

export function isComplete({ operator, value }: Filter): boolean {
  return needsNothing(operator) || value.some((each) => each !== "");
}

/** A value inside of a list, quoted as PostgREST reads it. */
export function quoted(value: string): string {
  return `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
}

/** The parameter of a filter: name and value, not yet encoded. */
export function parameterOf({ field, operator, value }: Filter): [string, string] {
  const one = value[0] ?? "";
  switch (operator) {
    case "has":
      return [field, `ilike.*${one.replace(/[\\%_*]/g, "\\$&")}*`];
    case "in":
      return [field, `in.(${value.map(quoted).join(",")})`];
    case "empty":
      return [field, "is.null"];
    case "filled":
      return [field, "not.is.null"];
    case "holds":
      return [field, `cs.{${quoted(one)}}`];
    default:
      return [field, `${operator}.${one}`];
  }
}

/** Filters in an address of ours: `field~operator~value~value`. */
export function written(filter: Filter): string {
  return [filter.field, filter.operator, ...filter.value].map((part) => encodeURIComponent(part).replace(/~/g, "%7E")).join("~");
}

export function readBack(text: string): Filter | undefined {
  const [field, operator, ...value] = text.split("~").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return "";
    }
  });
  return field && operator ? { field, operator: operator as Operator, value } : undefined;
}
