/** Where a row is in its workflow, as `{entity}/{id}/transitions` tells. */
import { useQuery } from "@tanstack/react-query";
import { get } from "@/lib/within";
import { useSchema } from "@/lib/schema/schema";
import type { Entity, Schema } from "@/lib/schema/types";

export interface Step {
  transition: string;
  from_state: string;
  to_state: string;
  comment: string | null;
  user_id: string | null;
  at: string;
}

export interface Standing {
  state: string;
  transitions: { name: string; to: string; quorum: number }[];
  approvals: { transition: string; user_id: string; comment: string | null; at: string }[];
  history: Step[];
}

export function useStanding(entity: Entity, id: string, version: unknown) {
  return useQuery({
    queryKey: ["transitions", entity.name, id, version],
    queryFn: ({ signal }) => get<Standing>(`/${entity.name}/${encodeURIComponent(id)}/transitions`, signal),
    placeholderData: (before) => before,
  });
}

function peopleOf(schema: Schema): Entity | undefined {
  const people = schema.entities["users"];
  return people?.may.includes("read") && people.label ? people : undefined;
}

/** Names of people by their key, of those one may see. */
export function useNames(ids: (string | null)[]) {
  const schema = useSchema();
  const people = peopleOf(schema);
  const wanted = [...new Set(ids.filter((id) => id !== null))].sort();
  const { data } = useQuery({
    queryKey: ["names", schema.version, wanted],
    enabled: people !== undefined && wanted.length > 0,
    queryFn: async ({ signal }) => {
      const rows = await get<Record<string, string | null>[]>(`/users?select=id,label:${people!.label}&id=in.(${wanted.join(",")})`, signal);
      return new Map(rows.map((row) => [row["id"], row["label"]]));
    },
  });
  return (id: string | null) => (id === null ? undefined : (data?.get(id) ?? undefined));
}
