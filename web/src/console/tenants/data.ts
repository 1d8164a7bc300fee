/** Tenants as the console sees them: their rows, versions, plans, and what their files wait for. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ask, get } from "@/lib/api/client";
import { call } from "../parts/act";
import type { Tone } from "../parts/State";
import { found } from "./searching";

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
  number: number;
  status: "pending" | "rejected";
  findings: { line?: number; message: string }[] | null;
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
/** The version in force, and the newest that is not. */
const VERSIONS =
  ",live:schemas(number),newest:schemas(number,status,findings)&live.status=eq.deployed&live.order=number.desc&live.limit=1&newest.status=in.(pending,rejected)&newest.order=number.desc&newest.limit=1";
const LIVE = { refetchInterval: 4000 } as const;
export const PAGE = 50;

type Answered = Tenant & { live: { number: number }[]; newest: Waiting[] };

function rowOf({ live, newest, ...tenant }: Answered): Row {
  const version = live[0]?.number ?? 0;
  return { ...tenant, version, waiting: newest.find(({ number }) => number > version) };
}

/** One page of those that fit, from 1 on, and how many fit. */
export function useTenants(words: string, page: number) {
  return useQuery({
    queryKey: ["tenants", words, page],
    ...LIVE,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const path = `/tenants?select=${COLUMNS}${VERSIONS}${found(words)}&order=slug&limit=${PAGE}&offset=${(page - 1) * PAGE}`;
      const { data, headers } = await ask<Answered[]>(path, { headers: { Prefer: "count=exact" }, signal });
      return { rows: data.map(rowOf), total: totalOf(headers) };
    },
  });
}

/** One tenant, null when there is none of that slug. */
export function useTenant(slug: string) {
  return useQuery({
    queryKey: ["tenant", slug],
    ...LIVE,
    queryFn: async ({ signal }) => {
      const [tenant] = await get<Answered[]>(`/tenants?select=${COLUMNS}${VERSIONS}&slug=eq.${encodeURIComponent(slug)}`, signal);
      return tenant ? rowOf(tenant) : null;
    },
  });
}

/** How many there are. */
export function useTenantCount() {
  return useQuery({
    queryKey: ["tenant-count"],
    ...LIVE,
    queryFn: async ({ signal }) => totalOf((await ask("/tenants?select=id&limit=1", { headers: { Prefer: "count=exact" }, signal })).headers),
  });
}

/** The slugs one can choose from. */
export function useSlugs() {
  return useQuery({
    queryKey: ["slugs"],
    ...LIVE,
    queryFn: async ({ signal }) => (await get<{ slug: string }[]>("/tenants?select=slug&order=slug&limit=1000", signal)).map(({ slug }) => slug),
  });
}

/** Tenants that are closed, or whose newest file is refused or waits for a yes; `slugs` are all that are registered. */
export function useTroubled() {
  return useQuery({
    queryKey: ["troubled"],
    ...LIVE,
    queryFn: async ({ signal }) => {
      const [closed, registered, versions] = await Promise.all([
        get<Troubled[]>("/tenants?select=slug,status_reason&status=neq.active&order=slug&limit=200", signal),
        call<{ slug: string; version: number }[]>("list_tenants"),
        get<(Waiting & { tenant: { slug: string } })[]>(
          "/schemas?select=number,status,findings,tenant:tenants!inner(slug)&status=in.(pending,rejected)&order=number.desc&limit=1000",
          signal,
        ),
      ]);
      const numbers = new Map(registered.map(({ slug, version }) => [slug, version]));
      const troubled = new Map<string, Troubled>();
      for (const { tenant, ...waiting } of versions)
        if (!troubled.has(tenant.slug) && waiting.number > (numbers.get(tenant.slug) ?? 0)) troubled.set(tenant.slug, { slug: tenant.slug, status_reason: null, waiting });
      for (const one of closed) troubled.set(one.slug, { ...troubled.get(one.slug), ...one });
      return { rows: [...troubled.values()].sort((one, other) => one.slug.localeCompare(other.slug)), slugs: new Set(numbers.keys()) };
    },
  });
}

export interface Troubled {
  slug: string;
  status_reason: string | null;
  waiting?: Waiting;
}

const totalOf = (headers: Headers) => Number(headers.get("Content-Range")?.split("/")[1] ?? 0);

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
