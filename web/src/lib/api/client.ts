/** One way to the API: the session's cookie goes along by itself, unsafe requests carry its CSRF token. */
import { boot } from "../boot";
import { Problem, problemOf } from "./problem";

export interface Ask {
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** JSON, or a form or file as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export interface Answer<T> {
  data: T;
  status: number;
  etag: string;
  headers: Headers;
}

type Listener = () => void;
let csrf = "";
const lost = new Set<Listener>();

/** Keep the token that `/me` and signing in answer. */
export function keepCsrf(token: string | undefined): void {
  csrf = token ?? "";
}

/** Be told when the server no longer knows our session. */
export function onSessionLost(listener: Listener): () => void {
  lost.add(listener);
  return () => lost.delete(listener);
}

/** Ask the API; `path` begins with "/" and is relative to the tenant's base. */
export async function ask<T>(path: string, options: Ask = {}): Promise<Answer<T>> {
  const send = (path: string, options: Ask) => request(boot.base, csrf, path, options);
  let answer = await send(path, options);
  if (answer.status === 403 && csrf !== "") {
    const refusal = await problemOf(answer.clone());
    if (refusal.code === "auth.csrf" || refusal.code === "csrf") {
      // another tab signed in anew: the token follows the session
      const me = await send("/me", {});
      keepCsrf(((await me.json()) as { csrf_token?: string }).csrf_token);
      answer = await send(path, options);
    }
  }
  if (answer.status === 401) for (const listener of lost) listener();
  return read<T>(answer);
}

/** What a response says; a refusal is thrown as a `Problem`. */
export async function read<T>(answer: Response): Promise<Answer<T>> {
  if (!answer.ok && answer.status !== 304) throw await problemOf(answer);
  const type = answer.headers.get("Content-Type") ?? "";
  const empty = answer.status === 204 || answer.status === 304 || answer.headers.get("Content-Length") === "0";
  const data = empty ? undefined : type.includes("json") ? await answer.json() : await answer.text();
  return { data: data as T, status: answer.status, etag: answer.headers.get("ETag") ?? "", headers: answer.headers };
}

/** Ask and return only what was answered. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask<T>(path, { signal })).data;
}

/** Where a browser finds something of the API by itself: downloads, pictures. */
export function addressOf(path: string): string {
  return boot.base + path;
}

/** Send to a tenant's API, with the CSRF token of the session there. */
export async function request(base: string, token: string, path: string, { method = "GET", body, headers = {}, signal }: Ask): Promise<Response> {
  const sent = new Headers({ Accept: "application/json", ...headers });
  const raw = body instanceof FormData || body instanceof Blob;
  if (body !== undefined && !raw && !sent.has("Content-Type")) sent.set("Content-Type", "application/json");
  if (method !== "GET" && token !== "") sent.set("X-CSRF-Token", token);
  try {
    return await fetch(base + path, {
      method,
      headers: sent,
      body: body === undefined ? null : raw || typeof body === "string" ? (body as BodyInit) : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, { code: "offline", message: "" });
  }
}
