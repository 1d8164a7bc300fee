/** Who is signed in: `/me`, signing in and out. The session is an HttpOnly cookie; no token ever is in a script's reach. */
import { useQuery } from "@tanstack/react-query";
import { createContext, useContext, useEffect, type ReactNode } from "react";
import { ask, keepCsrf, onSessionLost } from "../api/client";
import { asProblem } from "../api/problem";
import { queries } from "../api/queries";

export interface Verb {
  allowed: boolean;
  fields?: string[];
  masked?: string[];
  forced?: string[];
  row_rule?: boolean;
  limit?: number | null;
  aggregate?: boolean;
}

export interface Me {
  user: { id: string; email: string | null; role: string | null; is_anonymous: boolean } | null;
  roles: string[];
  claims: Record<string, unknown>;
  aal: string;
  session: string | null;
  mfa: { required: boolean; enrolled: boolean };
  /** The administrator of the platform who is this person for a while. */
  standing_in: { by: string; until: string } | null;
  tenant: { slug: string; title: string };
  /** By entity: what I may do with it. */
  can: Record<string, Record<"read" | "create" | "update" | "delete", Verb>>;
  csrf_token?: string;
}

const KEY = ["me"];
const Signed = createContext<Me | null>(null);

async function fetchMe(): Promise<Me> {
  const { data } = await ask<Me>("/me").catch((error: unknown) => {
    // the session ended elsewhere: the refusal took its cookie away, and now we are nobody
    if (asProblem(error).status !== 401) throw error;
    return ask<Me>("/me");
  });
  keepCsrf(data.csrf_token);
  return data;
}

/** Ask who I am; nobody is an answer, too. */
export function useMeQuery() {
  useEffect(() => onSessionLost(() => void queries.invalidateQueries({ queryKey: KEY })), []);
  return useQuery({ queryKey: KEY, queryFn: fetchMe, staleTime: 60_000 });
}

export function MeProvider({ me, children }: { me: Me; children: ReactNode }) {
  return <Signed.Provider value={me}>{children}</Signed.Provider>;
}

/** Who is signed in; only below the gate. */
export function useMe(): Me {
  const me = useContext(Signed);
  if (me === null) throw new Error("useMe outside of the session gate");
  return me;
}

export async function signIn(email: string, password: string): Promise<void> {
  const { data } = await ask<{ csrf_token?: string }>("/auth/v1/session", { method: "POST", body: { email, password } });
  keepCsrf(data.csrf_token);
  await refreshMe();
}

/** Make an account; false: a mail has to prove the address first. */
export async function signUp(email: string, password: string, home: string): Promise<boolean> {
  const { data } = await ask<{ csrf_token?: string }>("/auth/v1/signup", { method: "POST", body: { email, password, redirect_to: home, cookie: true } });
  if (!data.csrf_token) return false;
  keepCsrf(data.csrf_token);
  await refreshMe();
  return true;
}

/** Look again who I am, after anything that changed the session. */
export async function refreshMe(): Promise<void> {
  await queries.fetchQuery({ queryKey: KEY, queryFn: fetchMe, staleTime: 0 });
}

export async function signOut(): Promise<void> {
  await ask("/auth/v1/session", { method: "DELETE" });
  keepCsrf("");
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
  await refreshMe();
}
