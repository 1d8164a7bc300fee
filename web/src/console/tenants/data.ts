/** Tenants as the console sees them: their rows, versions, plans, and what their files wait for. */
import { useQuery } from "@tanstack/react-query";
import { get } from "@/lib/api/client";
import { call } from "../parts/act";
import type { Tone } from "../parts/State";

export interface Tenant {
  id: string;
  slug: string;
  name: string | null;
  template: string | null;
  owner_email: string | null;
  domain: string | null;
  status: "active" | "suspended" | "archived";
  status_reason: string | null;
  delete_after: string | null;
  created_at: string;
  memberships: { id: string }[];
  subscriptions: { status: string; plan: { title: string; name: string } | null } | null;
}

export interface Row extends Tenant {
  version: number;
  /** The newest text is refused, or waits for a yes. */
  waiting: Waiting | undefined;
}

export interface Waiting {
  tenant_id: string;
  number: number;
  status: "pending" | "rejected";
  findings: { line?: number; message: string }[] | null;
  saved_at: string;
}

export interface Finding {
  file?: string;
  line: number;
  column: number;
  severity?: string;
  code: string;
  message?: string;
  detail?: string;
  hint: string | null;
}

export interface FileStatus {
  slug: string;
  state: "cold" | "starting" | "serving" | "paused" | "suspended" | "failed";
  version: number;
  digest: string;
  reason: string;
  rejection: { at: string; diagnostics: Finding[] } | null;
  pending: { plan_id: string; summary: string[] } | null;
  last_reload: { at: string; version: number; total_ms: number; phases_ms: Record<string, number> } | null;
  migration: Migration | null;
  etag: string;
}

/** How far the newest migration is. */
export interface Migration {
  version: number;
  plan_id: string;
  state: "running" | "switched" | "done" | "reverted" | "failed";
  waiting: string;
  notes: string[];
  steps: { summary: string; phase: string; level: number; state: "waits" | "running" | "done" | "skipped" | "undone" }[];
}

const COLUMNS =
  "id,slug,name,template,owner_email,domain,status,status_reason,delete_after,created_at,memberships(id),subscriptions(status,plan:plans(title,name))";
const LIVE = { refetchInterval: 4000 } as const;

/** Every tenant with its version and what waits; the newest thousand of refused and waiting versions are looked at. */
export function useTenants() {
  return useQuery({
    queryKey: ["tenants"],
    ...LIVE,
    queryFn: async ({ signal }): Promise<Row[]> => {
      const [tenants, registered, versions] = await Promise.all([
        get<Tenant[]>(`/tenants?select=${COLUMNS}&order=slug&limit=1000`, signal),
        call<{ slug: string; version: number }[]>("list_tenants"),
        get<Waiting[]>("/schemas?select=tenant_id,number,status,findings,saved_at&status=in.(pending,rejected)&order=number.desc&limit=1000", signal),
      ]);
      const numbers = new Map(registered.map(({ slug, version }) => [slug, version]));
      return tenants.map((tenant) => {
        const version = numbers.get(tenant.slug) ?? 0;
        return { ...tenant, version, waiting: versions.find((one) => one.tenant_id === tenant.id && one.number > version) };
      });
    },
  });
}

/** How a tenant's file stands, asked again after so many milliseconds. */
export function useFileStatus(slug: string, every = 2000) {
  return useQuery({
    queryKey: ["status", slug],
    refetchInterval: every,
    queryFn: ({ signal }) => get<FileStatus>(`/tenants/${slug}/schema/status`, signal),
  });
}

export function planOf(tenant: Tenant): string {
  return tenant.subscriptions?.plan?.title ?? "";
}

export const TONES: Record<Tenant["status"], Tone> = { active: "good", suspended: "warn", archived: "bad" };
export const STATES: Record<FileStatus["state"], Tone> = {
  serving: "good",
  cold: "idle",
  starting: "info",
  paused: "warn",
  suspended: "warn",
  failed: "bad",
};
