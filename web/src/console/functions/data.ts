/** Functions of tenants: what there is, how runs came out, and how one is tried. */
import { useQuery } from "@tanstack/react-query";
import { Problem } from "@/lib/api/problem";
import type { Entity, Field, JsonSchema, Schema } from "@/lib/schema/types";
import type { Tone } from "../parts/State";
import { askIn, askTenant } from "../parts/tenant";

export interface Listed {
  name: string;
  entities: string[];
  runs: string;
  kind: "python" | "built_in";
  triggers: string[];
  after_commit: boolean;
  roles: string[];
  args: JsonSchema | null;
  read_only: boolean;
  timeout: number;
  retries: number;
  events: string[];
  line: number;
}

export interface Execution {
  id: string;
  function: string;
  name: string;
  trigger: string;
  entity: string | null;
  key: string | null;
  outcome: Outcome;
  error: string | null;
  line: number | null;
  log: string[] | null;
  milliseconds: number;
  version: number | null;
  request_id: string | null;
  started_at: string;
}

export type Outcome = "ok" | "rejected" | "failed" | "timeout";

/** How a trial or a run came out. */
export interface Result {
  outcome: Outcome;
  value?: unknown;
  error: string | null;
  line: number | null;
  errors: { pointer: string; detail: string }[];
  log: string[];
  milliseconds: number;
}

export const OUTCOMES: Record<Outcome, Tone> = { ok: "good", rejected: "warn", failed: "bad", timeout: "bad" };
export const RPC = "rpc";
const LATER = 300;
const LOOKS = 8;

export function useFunctions(slug: string) {
  return useQuery({
    queryKey: ["functions", slug],
    refetchInterval: 10_000,
    queryFn: () => askTenant<Listed[]>(slug, "/functions/v1"),
  });
}

/** Runs, newest first; none where the file has no functions. */
export function useExecutions(slug: string, outcome: string) {
  return useQuery({
    queryKey: ["executions", slug, outcome],
    refetchInterval: 5000,
    queryFn: () =>
      askTenant<Execution[]>(slug, `/function_executions?order=started_at.desc&limit=50${outcome && `&outcome=eq.${outcome}`}`).catch(
        (error: unknown) => {
          if (error instanceof Problem && error.status === 404) return [];
          throw error;
        },
      ),
  });
}

/** The fields an input has: of the arguments, or of the entity whose row it is. References are written as keys. */
export function useEntityOf(slug: string, name: string) {
  return useQuery({
    queryKey: ["schema of", slug],
    enabled: name !== "",
    queryFn: () => askTenant<Schema>(slug, "/schema"),
    select: (schema) => schema.entities[name],
  });
}

export function fieldsOf(entity: Entity): Field[] {
  return Object.entries(entity.fields)
    .filter(([name, { generated, computed, kind }]) => name !== entity.key && !generated && !computed && kind !== "file")
    .map(([name, { references: _references, ...field }]) => ({ ...field, name, required: false, nullable: true }));
}

/** The newest row of an entity, as an input. */
export async function newestRow(slug: string, entity: Entity): Promise<Record<string, unknown>> {
  const order = entity.fields["created_at"] ? "created_at" : entity.key;
  const [row] = await askTenant<Record<string, unknown>[]>(slug, `/${entity.name}?order=${order}.desc&limit=1`);
  return row ?? {};
}

export async function tryOut(slug: string, name: string, entity: string, input: unknown, old: unknown): Promise<Result> {
  return askTenant<Result>(slug, "/trials/v1", "POST", { function: name, entity, input, old });
}

/** Call it as programs do. What it said is on record a moment later. */
export async function runNow(slug: string, name: string, input: unknown): Promise<Result> {
  const began = performance.now();
  let found: Pick<Result, "outcome" | "value" | "error" | "errors">;
  let request: string;
  try {
    const { data, headers } = await askIn(slug, `/rpc/${name}`, { method: "POST", body: input });
    found = { outcome: "ok", value: data ?? null, error: null, errors: [] };
    request = headers.get("X-Request-Id") ?? "";
  } catch (error) {
    if (!(error instanceof Problem) || error.offline) throw error;
    const outcome = error.code === "function.timeout" ? "timeout" : error.code === "function.failed" ? "failed" : "rejected";
    found = { outcome, error: error.message, errors: error.errors };
    request = error.requestId;
  }
  const took = performance.now() - began;
  const kept = await recordOf(slug, request);
  return {
    ...found,
    error: kept?.error || found.error,
    line: kept?.line ?? null,
    log: kept?.log ?? [],
    milliseconds: kept?.milliseconds ?? took,
  };
}

async function recordOf(slug: string, request: string): Promise<Execution | undefined> {
  for (let look = 0; request && look < LOOKS; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LATER));
    const [found] = await askTenant<Execution[]>(slug, `/function_executions?request_id=eq.${encodeURIComponent(request)}&limit=1`);
    if (found) return found;
  }
  return undefined;
}
