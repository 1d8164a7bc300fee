/**
 * Whose data is on the page: the tenant's own in its face; in the console that of the tenant somebody looks into.
 * What shows rows asks here and builds its addresses here, and works in both.
 */
import { useSyncExternalStore } from "react";
import * as own from "./api/client";
import type { Answer, Ask } from "./api/client";

export interface Place {
  /** Tells places apart in what a browser remembers; "" for the page's own. */
  name: string;
  /** Path of the API, and what the page calls it for reading along. */
  base: string;
  /** Where the pages of its data are, e.g. /tenants/acme-corp; "" for the page's own. */
  home: string;
  ask: <T>(path: string, options?: Ask) => Promise<Answer<T>>;
}

const OWN: Place = { name: "", base: own.addressOf(""), home: "", ask: own.ask };
let place = OWN;
const listeners = new Set<() => void>();

/** Look into another tenant, or with null back at one's own. Called by console/data/Within alone. */
export function lookInto(next: Place | null): void {
  place = next ?? OWN;
  for (const listener of listeners) listener();
}

/** The name of the place one looks into. */
export function usePlace(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => place.name,
  );
}

/** Ask the API of the data on the page; `path` begins with "/" and is relative to its base. */
export function ask<T>(path: string, options: Ask = {}): Promise<Answer<T>> {
  return place.ask<T>(path, options);
}

/** Ask and return only what was answered. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask<T>(path, { signal })).data;
}

/** Where a browser finds something of that API by itself: downloads, pictures. */
export function addressOf(path: string): string {
  return place.base + path;
}

/** The address of a page about the data: `/data/invoices`. */
export function here(path: string): string {
  return place.home + path;
}

/** The name a choice about the data is remembered by. */
export function keptAs(name: string): string {
  return place.name ? `${place.name}/${name}` : name;
}
