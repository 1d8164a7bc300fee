/** Webhooks, deliveries, jobs and tasks of a tenant. */
import { useQuery } from "@tanstack/react-query";
import { Problem } from "@/lib/api/problem";
import type { Tone } from "../parts/State";
import { askTenant } from "../parts/tenant";

export interface Webhook {
  name: string;
  url: string;
  events: string[];
  enabled: boolean;
  signed: boolean;
  retries: number;
  waiting: number;
  dead: number;
  last: { status: "delivered" | "failed"; response_status: number | null; at: string } | null;
}

export interface Delivery {
  id: string;
  webhook: string;
  event: string;
  /** The same in every attempt. */
  message: string;
  attempt: number;
  status: "delivered" | "failed";
  url: string;
  request_headers: Record<string, string> | null;
  request_body: string | null;
  response_status: number | null;
  response_headers: Record<string, string> | null;
  response_body: string | null;
  error: string | null;
  milliseconds: number;
  at: string;
}

export interface Job {
  name: string;
  function: string;
  schedule: string | null;
  zone: string | null;
  every: number | null;
  enabled: boolean;
  next_at: string | null;
  last: { state: TaskState; error: string; created_at: string; finished_at: string | null } | null;
}

export type TaskState = "ready" | "running" | "done" | "dead";

export interface Task {
  id: string;
  kind: string;
  name: string;
  state: TaskState;
  attempts: number;
  error: string;
  run_at: string;
  created_at: string;
}

export const DELIVERED: Record<Delivery["status"], Tone> = { delivered: "good", failed: "bad" };
export const STATES: Record<TaskState, Tone> = { ready: "idle", running: "info", done: "good", dead: "bad" };
const LIVE = { refetchInterval: 4000 } as const;

export function useWebhooks(slug: string) {
  return useQuery({ queryKey: ["webhooks", slug], ...LIVE, queryFn: () => askTenant<Webhook[]>(slug, "/webhooks/v1") });
}

/** Attempts, newest first; none where the file has no webhooks. */
export function useDeliveries(slug: string, filter: string) {
  return useQuery({
    queryKey: ["deliveries", slug, filter],
    ...LIVE,
    queryFn: () =>
      askTenant<Delivery[]>(slug, `/webhook_deliveries?order=at.desc&limit=50${filter}`).catch((error: unknown) => {
        if (error instanceof Problem && error.status === 404) return [];
        throw error;
      }),
  });
}

export function useJobs(slug: string) {
  return useQuery({ queryKey: ["jobs", slug], ...LIVE, queryFn: () => askTenant<Job[]>(slug, "/jobs/v1") });
}

export function useTasks(slug: string, state: TaskState) {
  return useQuery({ queryKey: ["tasks", slug, state], ...LIVE, queryFn: () => askTenant<Task[]>(slug, `/tasks/v1?state=${state}&limit=200`) });
}
