/** The process that answers, from what it has in memory: asked again every two seconds. */
import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { get } from "@/lib/api/client";

export interface Actor {
  name: string;
  state: string;
  mailbox: number;
  in_flight: number;
  processed: number;
  restarts: number;
  /** Seconds. */
  uptime: number;
  busy: string | null;
  last_error: string | null;
  retry_after: number | null;
  children: Actor[];
}

export interface Runtime {
  version: string;
  postgresql: string;
  /** Seconds. */
  uptime: number;
  loop: { lag_ms: { p50: number; p95: number; p99: number; max: number }; stalls: number; last_stall_ms: number };
  connections: { limit: number; open: number; waiting: number };
  slow_statements: number;
  actors: Actor;
}

export interface Line {
  number: number;
  at: string;
  level: "debug" | "info" | "warning" | "error" | "critical";
  event: string;
  tenant: string | null;
  request_id: string | null;
  fields: Record<string, string | number | boolean | null>;
}

export interface Reload {
  tenant: string;
  at: string;
  version: number;
  total_ms: number;
  phases_ms: Record<string, number>;
}

export interface Slow {
  tenant: string;
  at: string;
  ms: number;
  statement: string;
  request_id: string | null;
}

export function useRuntime() {
  return useQuery({ queryKey: ["runtime"], refetchInterval: 2000, queryFn: ({ signal }) => get<Runtime>("/runtime", signal) });
}

export function useLag() {
  return useQuery({
    queryKey: ["lag"],
    refetchInterval: 5000,
    queryFn: ({ signal }) => get<{ at: string; mean_ms: number; max_ms: number }[]>("/runtime/lag", signal),
  });
}

export function useReloads() {
  return useQuery({ queryKey: ["reloads"], refetchInterval: 2000, queryFn: ({ signal }) => get<Reload[]>("/runtime/reloads", signal) });
}

export function useSlow(tenant: string) {
  return useQuery({
    queryKey: ["slow", tenant],
    refetchInterval: 4000,
    queryFn: ({ signal }) => get<Slow[]>(`/runtime/slow${tenant && `?tenant=${encodeURIComponent(tenant)}`}`, signal),
  });
}

/** Lines a page keeps; the process keeps as many. */
const KEPT = 1000;

/** The log as it grows, the newest line first: only what is new is asked for. */
export function useLog(level: string, tenant: string, follow: boolean) {
  const kept = useRef({ about: "", lines: [] as Line[] });
  const about = `${level} ${tenant}`;
  return useQuery({
    queryKey: ["log", level, tenant],
    enabled: follow,
    refetchInterval: 1000,
    queryFn: async ({ signal }) => {
      const known = kept.current.about === about ? kept.current.lines : [];
      const query = new URLSearchParams({ level, after: String(known[0]?.number ?? 0), ...(tenant && { tenant }) });
      const found = await get<Line[]>(`/runtime/log?${query}`, signal);
      const lines = [...found, ...known].slice(0, KEPT);
      kept.current = { about, lines };
      return lines;
    },
  });
}

/** The tree as rows, each with how deep it hangs. */
export function flat(actor: Actor, depth = 0): { actor: Actor; depth: number; parent?: string }[] {
  return [{ actor, depth }, ...actor.children.flatMap((child) => flat(child, depth + 1).map((row) => ({ parent: actor.name, ...row })))];
}
