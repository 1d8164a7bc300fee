/** What a browser remembers for a person: column choices, language, drafts. Never anything secret. */
import { boot } from "./boot";

const prefix = `backsaas:${boot.slug}:`;

export function recall<T>(key: string, otherwise: T): T {
  try {
    const kept = globalThis.localStorage.getItem(prefix + key);
    return kept === null ? otherwise : (JSON.parse(kept) as T);
  } catch {
    return otherwise;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    if (value === undefined) globalThis.localStorage.removeItem(prefix + key);
    else globalThis.localStorage.setItem(prefix + key, JSON.stringify(value));
  } catch {
    // a browser that keeps nothing works all the same
  }
}
