/** The session as somebody else that an administrator holds: in this page's memory alone, until it ends. */
import { useSyncExternalStore } from "react";
import { problemOf } from "@/lib/api/problem";

export interface Opened {
  access_token: string;
  /** Seconds since 1970. */
  expires_at: number;
}

export interface Held {
  slug: string;
  email: string;
  token: string;
  ends: number;
}

let held: Held | null = null;
const listeners = new Set<() => void>();

export function holdSession(next: Held | null): void {
  held = next;
  for (const listener of listeners) listener();
}

export function useHeld(): Held | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => held,
  );
}

export async function endSession({ slug, token }: Held): Promise<void> {
  const answer = await fetch(`/api/tenants/${slug}/auth/v1/logout?scope=local`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    credentials: "omit",
  });
  if (!answer.ok && answer.status !== 401) throw await problemOf(answer);
  holdSession(null);
}
