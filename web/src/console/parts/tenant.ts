/** A tenant's own API, asked by an administrator: the first question opens a session there as its admin. */
import { addressOf, ask, read, request, type Answer, type Ask } from "@/lib/api/client";
import { Problem, problemOf } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import type { Me } from "@/lib/session/session";

/** The platform is a tenant, too; here one is at home in it already. */
export const SYSTEM = "system";

/** Under which key it is known whether one stands in for somebody there: parts/Apart says so. */
export const standingKey = (slug: string) => ["standing", slug];

const entered = new Map<string, Promise<string>>();

/** Path of a tenant's API. */
export function baseOf(slug: string): string {
  return slug === SYSTEM ? addressOf("") : `/api/tenants/${slug}`;
}

/** Who this browser is in the tenant at the moment. */
export async function whoIn(slug: string): Promise<Me> {
  return (await read<Me>(await request(baseOf(slug), "", "/me", {}))).data;
}

/** A session there as its admin would take away the one by which one stands in for somebody. */
async function refuseWhileStandingIn(slug: string): Promise<void> {
  const me = await whoIn(slug).catch(() => null);
  if (!me?.standing_in) return;
  queries.setQueryData(standingKey(slug), me);
  throw new Problem(409, { code: "standing_in", message: `${me.standing_in.by} = ${me.user?.email}` });
}

/** Open a session in the tenant; its cookie is kept by the browser, its CSRF token here. */
function enter(slug: string): Promise<string> {
  const found = entered.get(slug);
  if (found) return found;
  const opening = refuseWhileStandingIn(slug)
    .then(() => ask<{ csrf_token: string }>(`/auth/v1/tenants/${slug}/session`, { method: "POST", body: { cookie: true } }))
    .then(({ data }) => data.csrf_token);
  entered.set(slug, opening);
  opening.catch(() => entered.delete(slug));
  return opening;
}

/** Ask the tenant's API; `path` is relative to its base. */
export async function askIn<T>(slug: string, path: string, options: Ask = {}): Promise<Answer<T>> {
  if (slug === SYSTEM) return ask<T>(path, options);
  const send = async () => request(baseOf(slug), await enter(slug), path, options);
  let answer = await send();
  if (answer.status === 401 || (answer.status === 403 && (await problemOf(answer.clone())).code === "auth.csrf")) {
    entered.delete(slug); // it ended, or somebody signed in there anew
    answer = await send();
  }
  return read<T>(answer);
}

/** Ask and return only what was answered. */
export async function askTenant<T>(slug: string, path: string, method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE" = "GET", body?: unknown): Promise<T> {
  return (await askIn<T>(slug, path, { method, body })).data;
}

/** End it; the token is the one of the session there. */
export async function endIn(slug: string, csrf: string): Promise<void> {
  await read(await request(baseOf(slug), csrf, "/auth/v1/session", { method: "DELETE" }));
}

/** Go into the tenant's own pages as its admin. */
export async function openTenant(slug: string): Promise<void> {
  entered.delete(slug);
  await enter(slug);
  window.open(`/app/${slug}/`, "_blank", "noopener");
}
