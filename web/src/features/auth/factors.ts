/** Second factors over `auth/v1/factors`: what one has, adding one, showing a code of it. */
import { useQuery } from "@tanstack/react-query";
import { ask, get, keepCsrf } from "@/lib/api/client";
import { refreshMe } from "@/lib/session/session";

export interface Factor {
  id: string;
  status: "verified" | "unverified";
  friendly_name: string;
  created_at: string;
}

export interface Begun {
  id: string;
  totp: { qr_code: string; secret: string };
}

export function useFactors() {
  return useQuery({
    queryKey: ["factors"],
    queryFn: async ({ signal }) => (await get<Factor[]>("/auth/v1/factors", signal)).filter(({ status }) => status === "verified"),
  });
}

export async function beginFactor(): Promise<Begun> {
  return (await ask<Begun>("/auth/v1/factors", { method: "POST", body: { factor_type: "totp" } })).data;
}

/** Show a code: the session goes on as one with a second factor. */
export async function proveFactor(id: string, code: string): Promise<void> {
  const { data } = await ask<{ id: string }>(`/auth/v1/factors/${id}/challenge`, { method: "POST", body: {} });
  const proven = await ask<{ csrf_token?: string }>(`/auth/v1/factors/${id}/verify`, { method: "POST", body: { challenge_id: data.id, code } });
  if (proven.data.csrf_token) keepCsrf(proven.data.csrf_token);
  await refreshMe();
}

export async function removeFactor(id: string): Promise<void> {
  await ask(`/auth/v1/factors/${id}`, { method: "DELETE" });
}
