/** What a list shows, as its address says it, so that it can be sent on: view, words, filters, order, columns. */
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { recall, remember } from "@/lib/remember";
import { columnOf, defaultColumns, type Column } from "@/lib/rows/columns";
import { readBack, written, type Filter } from "@/lib/rows/filters";
import type { Listing } from "@/lib/rows/rows";
import { useSchema } from "@/lib/schema/schema";
import type { Entity, ListView } from "@/lib/schema/types";
import { keptAs } from "@/lib/within";

export interface LocalView {
  name: string;
  columns: string[];
  sort: string[];
  filters: Filter[];
  search: string;
}

export interface Lists {
  listing: Listing;
  /** Name of the view of the file, or "" */
  view: string;
  local: LocalView[];
  setSearch: (words: string) => void;
  setSort: (sort: string[]) => void;
  setFilters: (filters: Filter[]) => void;
  setColumns: (paths: string[] | null) => void;
  show: (view: LocalView) => void;
  keep: (name: string) => void;
  forget: (name: string) => void;
}

export function useListing(entity: Entity): Lists {
  const schema = useSchema();
  const [address, setAddress] = useSearchParams();
  const name = address.get("view") ?? "list";
  const shown = entity.views[name]?.type === "list" ? (entity.views[name] as ListView) : (entity.views["list"] as ListView | undefined);
  const chosen = address.get("columns");
  const text = address.toString();

  const listing = useMemo<Listing>(() => {
    const asked = new URLSearchParams(text);
    const paths = chosen?.split(",") ?? recall<string[] | null>(keptAs(`columns:${entity.name}:${name}`), null) ?? shown?.columns ?? [];
    const found = (from: string[]) => from.map((path) => columnOf(schema, entity, path)).filter((column): column is Column => column !== undefined);
    const columns = found(paths);
    const sort = asked.get("sort")?.split(",").filter(Boolean) ?? shown?.sort ?? (entity.fields["created_at"] ? ["-created_at"] : [entity.key]);
    return {
      entity,
      columns: columns.length > 0 ? columns : found(defaultColumns(schema, entity)),
      // a search finds the best first, unless somebody asks for an order
      sort: asked.get("q") && !asked.get("sort") ? [] : sort,
      filters: asked.getAll("f").map(readBack).filter((filter): filter is Filter => filter !== undefined && entity.fields[filter.field] !== undefined),
      filter: shown?.filter ?? "",
      search: asked.get("q") ?? "",
      count: shown?.count ?? "estimated",
    };
  }, [text, chosen, entity, name, shown, schema]);

  const local = recall<LocalView[]>(keptAs(`views:${entity.name}`), []);
  const change = (edit: (address: URLSearchParams) => void) =>
    setAddress(
      (before) => {
        const next = new URLSearchParams(before);
        edit(next);
        return next;
      },
      { replace: true },
    );
  const put = (key: string, value: string) => change((next) => (value ? next.set(key, value) : next.delete(key)));

  return {
    listing,
    view: name,
    local,
    setSearch: (words) => put("q", words),
    setSort: (sort) => put("sort", sort.join(",")),
    setFilters: (filters) =>
      change((next) => {
        next.delete("f");
        for (const filter of filters) next.append("f", written(filter));
      }),
    setColumns: (paths) => {
      remember(keptAs(`columns:${entity.name}:${name}`), paths ?? undefined);
      put("columns", paths?.join(",") ?? "");
    },
    show: (view) =>
      change((next) => {
        next.delete("f");
        next.set("columns", view.columns.join(","));
        next.set("sort", view.sort.join(","));
        if (view.search) next.set("q", view.search);
        else next.delete("q");
        for (const filter of view.filters) next.append("f", written(filter));
      }),
    keep: (title) => {
      const { columns, sort, filters, search } = listing;
      const made = { name: title, columns: columns.map(({ path }) => path), sort, filters, search };
      remember(keptAs(`views:${entity.name}`), [...local.filter((each) => each.name !== title), made]);
      change((next) => next.set("columns", made.columns.join(",")));
    },
    forget: (title) => {
      remember(keptAs(`views:${entity.name}`), local.filter((each) => each.name !== title));
      change((next) => next.delete("columns"));
    },
  };
}
