/** The process that answers, from what it has in memory: asked again every two seconds. */
import { useQuery } from "@tanstack/react-query";
import { get } from "@/lib/api/client";

export interface Actor {
  name: string;
  state: string;
  mailbox: number;
  in_flight: number;
  processed: number;
  restarts: number;
  last_error: string | null;
  children: Actor[];
}

export interface Runtime {
  /** Seconds. */
  uptime: number;
  loop: { lag_ms: { p50: number; p95: number; p99: number; max: number }; stalls: number };
  connections: { limit: number; open: number; waiting: number };
  slow_statements: number;
  actors: Actor;
}

export function useRuntime() {
  return useQuery({ queryKey: ["runtime"], refetchInterval: 2000, queryFn: ({ signal }) => get<Runtime>("/runtime", signal) });
}

/** The tree as rows, each with how deep it hangs. */
export function flat(actor: Actor, depth = 0): { actor: Actor; depth: number }[] {
  return [{ actor, depth }, ...actor.children.flatMap((child) => flat(child, depth + 1))];
}
