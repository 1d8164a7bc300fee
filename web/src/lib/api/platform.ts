/**
 * The platform, asked from a tenant's page: by who is signed in at the console in the same browser, too. Its session is
 * another than the tenant's, so nothing here ends or begins one.
 */
import { Problem, problemOf } from "./problem";

const BASE = "/api/platform";

/** The token that unsafe requests show; null when nobody is signed in there. */
export async function platformToken(signal: AbortSignal): Promise<string | null> {
  const me = await askPlatform<{ user: unknown; csrf_token?: string }>("/me", { signal });
  return me.data.user ? (me.data.csrf_token ?? "") : null;
}

interface Ask {
  method?: "GET" | "POST";
  body?: unknown;
  headers?: Record<string, string>;
  token?: string;
  signal?: AbortSignal;
}

export async function askPlatform<T>(path: string, { method = "GET", body, headers = {}, token, signal }: Ask = {}): Promise<{ data: T; etag: string }> {
  const sent = new Headers({ Accept: "*/*", ...headers });
  if (body !== undefined) sent.set("Content-Type", "application/json");
  if (token) sent.set("X-CSRF-Token", token);
  let answer: Response;
  try {
    answer = await fetch(BASE + path, {
      method,
      headers: sent,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, { code: "offline", message: "" });
  }
  if (!answer.ok) throw await problemOf(answer);
  const json = (answer.headers.get("Content-Type") ?? "").includes("json");
  return { data: (json ? await answer.json() : await answer.text()) as T, etag: answer.headers.get("ETag") ?? "" };
}
