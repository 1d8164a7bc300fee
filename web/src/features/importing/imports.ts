/** An import on the server: looked at, tried, run; told as often as it takes until it has ended. */
import { ask } from "@/lib/within";
import { Problem } from "@/lib/api/problem";

export interface RowError {
  row: number;
  column: string | null;
  field: string | null;
  code: string;
  detail: string;
}

export interface Import {
  id: string;
  state: "draft" | "waiting" | "running" | "done" | "failed" | "cancelled";
  columns: { column: string; field: string | null; by?: string; ignored?: string }[];
  rows: { read: number; written: number; rejected: number };
  progress: number;
  problem: { code: string; message: string; hint?: string } | null;
  preview?: { header: string[]; rows: unknown[][] };
  errors?: RowError[];
}

const ENDED = new Set(["done", "failed", "cancelled"]);

export async function look(entity: string, file: File): Promise<Import> {
  const format = file.name.toLowerCase().endsWith(".xlsx") ? "xlsx" : /\.(ndjson|jsonl)$/i.test(file.name) ? "ndjson" : "csv";
  const { data } = await ask<Import>(`/${entity}.${format}?preview=true`, { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });
  return data;
}

/** How the file is read and written. */
export interface Choice {
  /** Field by which rows that are there are known; "" when there may be none. */
  on_conflict: string;
  /** Rows that are there stay as they are. */
  ignore: boolean;
  decimal: "" | "." | ",";
  dates: "" | "dmy" | "mdy";
}

export const PLAIN: Choice = { on_conflict: "", ignore: false, decimal: "", dates: "" };

export interface Words {
  map: Record<string, string | null>;
  dry_run: boolean;
  mode: "all" | "skip";
}

/** Run it, or try it; a file with rows that are not acceptable is an answer here, no error. */
export async function run(id: string, words: Words, { ignore, ...choice }: Choice, onProgress: (share: number) => void): Promise<Import> {
  let found: Import;
  try {
    found = (await ask<Import>(`/imports/v1/${id}/run`, { method: "POST", body: { ...words, ...choice }, headers: { Prefer: `wait=5, resolution=${ignore ? "ignore" : "merge"}-duplicates` } })).data;
  } catch (error) {
    if (error instanceof Problem && typeof error.body["import"] === "object") return (await ask<Import>(`/imports/v1/${id}`)).data;
    throw error;
  }
  while (!ENDED.has(found.state)) {
    onProgress(found.progress);
    await new Promise((resolve) => setTimeout(resolve, 700));
    found = (await ask<Import>(`/imports/v1/${id}`)).data;
  }
  return found;
}
