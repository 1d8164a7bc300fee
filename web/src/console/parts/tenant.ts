/** A tenant's own API, asked by an administrator: the first question opens a session there as its admin. */
import { ask } from "@/lib/api/client";
import { problemOf } from "@/lib/api/problem";

const entered = new Map<string, Promise<string>>();

/** Open a session in the tenant; its cookie is kept by the browser, its CSRF token here. */
function enter(slug: string): Promise<string> {
  const found = entered.get(slug);
  if (found) return found;
  const opening = ask<{ csrf_token: string }>(`/auth/v1/tenants/${slug}/session`, { method: "POST", body: { cookie: true } }).then(
    ({ data }) => data.csrf_token,
  );
  entered.set(slug, opening);
  opening.catch(() => entered.delete(slug));
  return opening;
}

export async function askTenant<T>(slug: string, path: string, method: "GET" | "POST" = "GET", body?: unknown): Promise<T> {
  const send = async (token: string) =>
    fetch(`/api/tenants/${slug}${path}`, {
      method,
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": token },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  let answer = await send(await enter(slug));
  if (answer.status === 401 || (answer.status === 403 && (await problemOf(answer.clone())).code === "auth.csrf")) {
    entered.delete(slug); // it ended, or somebody signed in there anew
    answer = await send(await enter(slug));
  }
  if (!answer.ok) throw await problemOf(answer);
  return (await answer.json()) as T;
}

/** Go into the tenant's own pages as its admin. */
export async function openTenant(slug: string): Promise<void> {
  entered.delete(slug);
  await enter(slug);
  window.open(`/app/${slug}/`, "_blank", "noopener");
}
