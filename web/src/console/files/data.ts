/** A tenant's file: read with its version, checked, planned, written, taken back. */
import { useQuery } from "@tanstack/react-query";
import { ask } from "@/lib/api/client";
import { Problem } from "@/lib/api/problem";
import { call } from "../parts/act";
import type { Finding } from "../tenants/data";
import type { Plan } from "./PlanView";
import type { LanguageSchema } from "./yaml";

export interface FileText {
  text: string;
  etag: string;
}

/** The file as it is on disk, looked at every two seconds. */
export function useFileText(slug: string) {
  return useQuery({
    queryKey: ["file", slug],
    refetchInterval: 2000,
    queryFn: async ({ signal }): Promise<FileText> => {
      const { data, etag } = await ask<string>(`/tenants/${slug}/schema`, { signal, headers: { Accept: "*/*" } });
      return { text: data, etag };
    },
  });
}

export function useLanguage() {
  return useQuery({
    queryKey: ["language"],
    staleTime: Infinity,
    queryFn: async () => (await (await fetch("/schemas/tenant.schema.json")).json()) as LanguageSchema,
  });
}

export async function check(slug: string, text: string): Promise<Finding[]> {
  const { errors, warnings } = await call<{ errors: Finding[]; warnings: Finding[] }>("validate_schema", { slug, text });
  return [...errors, ...warnings.map((finding) => ({ ...finding, severity: "warning" }))];
}

export function plan(slug: string, text: string): Promise<Plan> {
  return call<Plan>("plan_schema", { slug, text });
}

/** Write a text over the version that was read; `planId` agrees to a plan that waits for a yes. */
export async function write(slug: string, text: string, etag: string, planId: string): Promise<FileText> {
  const answer = await ask<{ etag?: string }>("/rpc/apply_schema", {
    method: "POST",
    body: { slug, text, plan_id: planId },
    headers: { "If-Match": etag },
  });
  return { text, etag: answer.data.etag ?? etag };
}

/** Whether a refusal says that the file was changed meanwhile. */
export function isConflict(error: unknown): boolean {
  return error instanceof Problem && error.code === "row.version_mismatch";
}

export interface Version {
  number: number;
  status: "draft" | "pending" | "deployed" | "superseded" | "rejected";
  author: string | null;
  saved_at: string;
  findings: { line: number; message: string }[];
  base: number | null;
  text?: string;
}
