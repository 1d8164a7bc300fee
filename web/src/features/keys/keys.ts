/** API keys of the tenant: `auth/v1/keys`. */
import { useQuery } from "@tanstack/react-query";
import { ask, get } from "@/lib/within";
import { queries } from "@/lib/api/queries";

export interface Key {
  id: string;
  name: string;
  prefix: string;
  role: string;
  /** null: everything the role may. */
  scopes: string[] | null;
  created_at: string;
  expires_at: string | null;
  used_at: string | null;
  revoked_at: string | null;
}

export type Made = Key & { key: string };

/** What a new key may do with a table: its scopes. */
export const RIGHTS = { none: [], read: ["read"], write: ["read", "write"], all: ["*"] } as const;
export type Right = keyof typeof RIGHTS;

export interface Wish {
  name: string;
  kind: "public" | "secret";
  role: string;
  rights: Record<string, Right> | null;
  /** 0: it never ends. */
  days: number;
}

const LIST = ["keys"];

export function useKeys() {
  return useQuery({ queryKey: LIST, queryFn: ({ signal }) => get<Key[]>("/auth/v1/keys", signal) });
}

export function isPublic(key: Key): boolean {
  return key.prefix.startsWith("bsk_pub_");
}

export function hasEnded(key: Key): boolean {
  return key.revoked_at !== null || (key.expires_at !== null && new Date(key.expires_at).getTime() <= Date.now());
}

export async function makeKey({ name, kind, role, rights, days }: Wish): Promise<Made> {
  const scopes = rights && Object.entries(rights).flatMap(([entity, right]) => RIGHTS[right].map((verb) => `${entity}:${verb}`));
  const body = { name, kind, ...(kind === "secret" ? { role, scopes } : {}), ...(days > 0 ? { expires_in: days * 86_400 } : {}) };
  return told(await ask<Made>("/auth/v1/keys", { method: "POST", body }));
}

/** A key with the same rights; the old one works for a day more. */
export async function replaceKey(id: string): Promise<Made> {
  return told(await ask<Made>(`/auth/v1/keys/${id}/rotate`, { method: "POST", body: {} }));
}

export async function revokeKey(id: string): Promise<void> {
  await ask(`/auth/v1/keys/${id}`, { method: "DELETE" });
  await queries.invalidateQueries({ queryKey: LIST });
}

async function told({ data }: { data: Made }): Promise<Made> {
  await queries.invalidateQueries({ queryKey: LIST });
  return data;
}
