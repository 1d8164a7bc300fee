/**
 * The live schema. It is asked for again every few seconds by its ETag, so that an open page follows the tenant's file;
 * an answer that changed nothing renders nothing.
 */
import { useQuery } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useRef, type ReactNode } from "react";
import { ask } from "../within";
import { queries } from "../api/queries";
import { useMe } from "../session/session";
import type { Entity, Field, Schema } from "./types";

const EVERY = 3000;
const Live = createContext<Schema | null>(null);
let known: { who: string; etag: string; schema: Schema } | null = null;

async function fetchSchema(who: string, signal: AbortSignal): Promise<Schema> {
  const mine = known?.who === who ? known : null;
  const headers: Record<string, string> = mine ? { "If-None-Match": mine.etag } : {};
  const { data, status, etag } = await ask<Schema>("/schema", { headers, signal });
  if (status === 304 && mine) return mine.schema;
  for (const [name, entity] of Object.entries(data.entities)) {
    entity.name = name;
    for (const [column, field] of Object.entries(entity.fields)) field.name = column;
    // rows that move through states are a board, also where the file draws none
    if (entity.workflow && !Object.values(entity.views).some(({ type }) => type === "board"))
      entity.views["board"] ??= { type: "board", group_by: entity.workflow.field, card: [], filter: "", sort: [], title: {} };
  }
  known = { who, etag, schema: data };
  return data;
}

export function useSchemaQuery() {
  const me = useMe();
  const who = `${me.user?.id ?? ""} ${me.roles.join(" ")}`;
  return useQuery({
    queryKey: ["schema", who],
    queryFn: ({ signal }) => fetchSchema(who, signal),
    refetchInterval: EVERY,
    staleTime: EVERY,
    structuralSharing: false,
  });
}

/** Hands the schema down, and asks again who I am and for rows when its version changes. */
export function SchemaProvider({ schema, onChange, children }: { schema: Schema; onChange: () => void; children: ReactNode }) {
  const seen = useRef(schema);
  useEffect(() => {
    if (seen.current === schema) return;
    seen.current = schema;
    void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "schema" });
    onChange();
  }, [schema, onChange]);
  return <Live.Provider value={schema}>{children}</Live.Provider>;
}

export function useSchema(): Schema {
  const schema = useContext(Live);
  if (schema === null) throw new Error("useSchema outside of SchemaProvider");
  return schema;
}

export function useEntity(name: string): Entity | undefined {
  return useSchema().entities[name];
}

export function fieldOf(entity: Entity, name: string): Field | undefined {
  return entity.fields[name];
}
