/** About how many rows of an entity the caller sees. */
import type { Entity } from "@/lib/schema/types";
import { ask } from "@/lib/within";

export async function countOf(entity: Entity, signal?: AbortSignal): Promise<number> {
  const { headers } = await ask(`/${entity.name}?select=${entity.key}&limit=1`, { headers: { Prefer: "count=estimated" }, signal });
  return Number(headers.get("Content-Range")?.split("/")[1] ?? 0);
}
