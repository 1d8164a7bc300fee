/** How one may sign in and up here: `auth/v1/settings`, which everybody may read. */
import { useQuery } from "@tanstack/react-query";
import { get } from "@/lib/api/client";
import type { Titles } from "@/lib/i18n";

export interface Ways {
  external: Record<string, boolean>;
  disable_signup: boolean;
  mfa_enabled: boolean;
  password_min_length: number;
  titles: Record<string, Titles>;
}

const OWN = new Set(["email", "phone", "anonymous_users"]);

export function useWays() {
  return useQuery({ queryKey: ["ways in"], queryFn: ({ signal }) => get<Ways>("/auth/v1/settings", signal), staleTime: 60_000 });
}

/** Names of the other providers there are. */
export function providersOf(ways: Ways | undefined): string[] {
  return Object.entries(ways?.external ?? {})
    .filter(([name, on]) => on && !OWN.has(name))
    .map(([name]) => name);
}
