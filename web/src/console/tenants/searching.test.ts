import { expect, test } from "vitest";
import { found } from "./searching";

test("every word is looked for in every name, and no sign of a pattern means more than itself", () => {
  const said = (words: string) => decodeURIComponent(found(words));
  expect(said("  ")).toBe("");
  expect(said("acme")).toBe('&and=(or(slug.ilike."*acme*",name.ilike."*acme*",domain.ilike."*acme*",owner_email.ilike."*acme*"))');
  expect(said('two "words%')).toMatch(/^&and=\(or\(slug\.ilike\."\*two\*".*\),or\(slug\.ilike\."\*words\*".*\)\)$/);
});
