/** What is typed to find a tenant, as the filter that finds it. */
const SEARCHED = ["slug", "name", "domain", "owner_email"];

/** Every word is somewhere in what a tenant is called or reached by; signs with a meaning in patterns stand for none. */
export function found(words: string): string {
  const parts = words.replace(/["\\%*]/g, " ").split(/\s+/).filter(Boolean);
  const any = parts.map((part) => `or(${SEARCHED.map((name) => `${name}.ilike."*${part}*"`).join(",")})`);
  return any.length === 0 ? "" : `&and=${encodeURIComponent(`(${any.join(",")})`)}`;
}
