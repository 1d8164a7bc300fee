/** Which transitions are approvals: those that need several people, or another one than who made the row; and their refusals. */
import type { Entity } from "@/lib/schema/types";

export function approvalsOf(entity: Entity): string[] {
  const ways = Object.entries(entity.workflow?.transitions ?? {}).filter(([, way]) => way.mine);
  const agreed = ways.filter(([, way]) => way.quorum > 1 || !way.allow_self);
  const sources = new Set(agreed.flatMap(([, way]) => way.sources));
  // what leads elsewhere from just there, with a word about it, is the other answer to the same question
  const refused = ways.filter(([name, way]) => way.comment === "required" && way.sources.every((source) => sources.has(source)) && !agreed.some(([other]) => other === name));
  return [...agreed, ...refused].map(([name]) => name);
}
