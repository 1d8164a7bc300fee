/** Accounts as a tenant's admins see them: `auth/v1/admin/users`. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ask, get } from "@/lib/within";
import { queries } from "@/lib/api/queries";
import { useSchema } from "@/lib/schema/schema";
import type { Schema } from "@/lib/schema/types";
import { useMe, type Me } from "@/lib/session/session";

export interface Person {
  id: string;
  email: string;
  role: string;
  confirmed_at: string | null;
  last_sign_in_at: string | null;
  banned_until?: string;
  factors?: { status: string }[];
}

export type State = "active" | "pending" | "banned";
export const STATES: State[] = ["active", "pending", "banned"];
export const PAGE = 50;
const FOREVER = "876000h";
const NOBODYS = new Set(["public", "authenticated"]);

/** Whether the API lets me look after people. */
export function keepsPeople(me: Me): boolean {
  return me.roles.includes("admin");
}

export function stateOf(person: Person): State {
  if (person.banned_until && new Date(person.banned_until).getTime() > Date.now()) return "banned";
  return person.confirmed_at ? "active" : "pending";
}

/** Roles there are, and whether I may give each: nobody gives an admin's role that is above their own. */
export function useRoles(): { name: string; mine: boolean }[] {
  const { roles } = useSchema();
  const me = useMe();
  const names = [...new Set([...Object.keys(roles), "admin"])].filter((name) => !NOBODYS.has(name));
  return names.map((name) => ({ name, mine: me.roles.includes(name) || !includes(roles, name, "admin") }));
}

function includes(roles: Schema["roles"], name: string, wanted: string): boolean {
  return name === wanted || (roles[name]?.inherits.some((other) => includes(roles, other, wanted)) ?? false);
}

export function usePeople(wanted: { part: string; role: string; state: string; page: number }) {
  return useQuery({
    queryKey: ["people", wanted],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ page: String(wanted.page), per_page: String(PAGE), filter: wanted.part, role: wanted.role, state: wanted.state });
      const { data, headers } = await ask<{ users: Person[] }>(`/auth/v1/admin/users?${query}`, { signal });
      return { people: data.users, total: Number(headers.get("x-total-count")) };
    },
  });
}

export function usePerson(id: string, known: Person) {
  return useQuery({ queryKey: ["people", id], queryFn: ({ signal }) => get<Person>(path(id), signal), initialData: known });
}

export async function invite(email: string, role: string): Promise<void> {
  await ask("/auth/v1/invite", { method: "POST", body: { email, role } });
  await again();
}

export async function giveRole(id: string, role: string): Promise<void> {
  await ask(path(id), { method: "PUT", body: { role } });
  await again();
}

/** Keep somebody out, or let them in again. */
export async function allow(id: string, on: boolean): Promise<void> {
  await ask(path(id), { method: "PUT", body: { ban_duration: on ? "none" : FOREVER } });
  await again();
}

export async function removePerson(id: string): Promise<void> {
  await ask(path(id), { method: "DELETE" });
  queries.removeQueries({ queryKey: ["people", id] }); // nobody asks for who is gone
}

export function sessionsOf(id: string): string {
  return `${path(id)}/sessions`;
}

const path = (id: string) => `/auth/v1/admin/users/${encodeURIComponent(id)}`;
export const again = () => queries.invalidateQueries({ queryKey: ["people"] });
