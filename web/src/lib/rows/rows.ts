/** Rows of the API: lists that go on as one scrolls, one row with its version, writes. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Answer } from "../api/client";
import { ask } from "../within";
import { queries } from "../api/queries";
import { useSchema } from "../schema/schema";
import type { Entity } from "../schema/types";
import { orderOf, selectOf, type Column, type Row } from "./columns";
import { isComplete, parameterOf, type Filter } from "./filters";

export const PAGE = 100;

export interface Listing {
  entity: Entity;
  columns: Column[];
  sort: string[];
  filters: Filter[];
  /** Of a view of the file, in the API's grammar. */
  filter: string;
  search: string;
  count: "exact" | "planned" | "estimated" | "none";
}

interface Page {
  rows: Row[];
  next: string | null;
  total: number | null;
}

/** The query string that finds a listing's rows, without paging; also what is exported. */
export function queryOf(schema: ReturnType<typeof useSchema>, listing: Listing, highlight = false): string {
  const { entity, columns, sort, filters, filter, search } = listing;
  const query = new URLSearchParams();
  query.set("select", selectOf(entity, columns, highlight && search ? ["_highlight"] : []));
  const order = sort.map((path) => orderOf(schema, entity, path)).filter((path) => path !== undefined);
  if (order.length > 0) query.set("order", order.join(","));
  for (const each of filters) if (isComplete(each)) query.append(...parameterOf(each));
  if (search) query.set("search", search);
  return filter ? `${query.toString()}&${filter}` : query.toString();
}

/** Rows, page by page. By cursor where the order is of own columns, so that the thousandth page costs as the first. */
export function useRows(listing: Listing) {
  const schema = useSchema();
  const { entity, search, sort, count } = listing;
  const query = queryOf(schema, listing, true);
  const byCursor = !search && sort.every((path) => entity.fields[path.replace(/^-/, "")]?.references === undefined && !path.includes("."));
  return useInfiniteQuery({
    queryKey: ["rows", entity.name, query, schema.version],
    initialPageParam: byCursor ? "after=" : "offset=0",
    queryFn: async ({ pageParam, signal }): Promise<Page> => {
      const first = pageParam === "after=" || pageParam === "offset=0";
      const headers: Record<string, string> = first && count !== "none" ? { Prefer: `count=${count}` } : {};
      const answer = await ask<Row[]>(`/${entity.name}?${query}&limit=${PAGE}&${pageParam}`, { headers, signal });
      return { rows: answer.data, next: nextOf(answer, pageParam, byCursor), total: totalOf(answer) };
    },
    getNextPageParam: (page) => page.next,
    placeholderData: (before) => before,
  });
}

function nextOf(answer: Answer<Row[]>, page: string, byCursor: boolean): string | null {
  if (byCursor) {
    const cursor = answer.headers.get("Next-Cursor");
    return cursor ? `after=${encodeURIComponent(cursor)}` : null;
  }
  return answer.data.length < PAGE ? null : `offset=${Number(page.slice("offset=".length)) + PAGE}`;
}

function totalOf(answer: Answer<unknown>): number | null {
  const total = Number(answer.headers.get("Content-Range")?.split("/")[1]);
  return Number.isFinite(total) ? total : null;
}

export interface Versioned {
  row: Row;
  etag: string;
}

/** One row, with labels of what it points to and what the caller may do with it. */
export function useRow(entity: Entity, id: string, columns: Column[]) {
  const schema = useSchema();
  return useQuery({
    queryKey: ["row", entity.name, id, schema.version],
    queryFn: ({ signal }) => fetchRow(entity, id, columns, signal),
  });
}

export async function fetchRow(entity: Entity, id: string, columns: Column[], signal?: AbortSignal): Promise<Versioned> {
  const path = `/${entity.name}/${encodeURIComponent(id)}?select=${encodeURIComponent(selectOf(entity, columns))}`;
  const { data, etag } = await ask<Row>(path, { signal });
  return { row: data, etag };
}

/** What the caller may do with rows, by key. */
export interface Capabilities {
  update?: boolean;
  delete?: boolean;
  fields?: string[];
  transitions?: unknown;
}

export async function createRow(entity: Entity, values: Row): Promise<Row> {
  const { data } = await ask<Row[] | Row>(`/${entity.name}`, {
    method: "POST",
    body: values,
    headers: { Prefer: "return=representation", Accept: "application/vnd.pgrst.object+json" },
  });
  changed(entity.name);
  return Array.isArray(data) ? data[0]! : data;
}

/** Change a row; with a version only when it still has it (412 otherwise). */
export async function updateRow(entity: Entity, id: string, values: Row, etag?: string): Promise<Versioned> {
  const answer = await ask<Row>(`/${entity.name}/${encodeURIComponent(id)}`, {
    method: "PATCH",
    body: values,
    headers: { Prefer: "return=representation", Accept: "application/vnd.pgrst.object+json", ...(etag ? { "If-Match": etag } : {}) },
  });
  changed(entity.name);
  return { row: Array.isArray(answer.data) ? (answer.data[0] as Row) : answer.data, etag: answer.etag };
}

export async function deleteRow(entity: Entity, id: string): Promise<void> {
  await ask(`/${entity.name}/${encodeURIComponent(id)}`, { method: "DELETE" });
  changed(entity.name);
}

/** Lists and rows that may show something else now are asked for anew. */
export function changed(entity: string): void {
  void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === "rows" || queryKey[0] === "related" || (queryKey[0] === "row" && queryKey[1] === entity) });
}
