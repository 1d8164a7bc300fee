/** What the server wrote into the page: whose face this is, and how it looks before anybody is signed in. */
export interface Boot {
  face: "tenant" | "console";
  slug: string;
  /** Path of the API, e.g. /api/tenants/acme-corp. */
  base: string;
  /** Path the pages live under, e.g. /app/acme-corp, or "" on a host of their own. */
  home: string;
  title: Record<string, string>;
  color: string;
  theme: "auto" | "light" | "dark";
  logo: string;
  languages: string[];
  /** For styles that libraries write at run time (Content-Security-Policy). */
  nonce: string;
}

export const boot: Boot = {
  face: "tenant",
  slug: "",
  base: "",
  home: "",
  title: {},
  color: "",
  theme: "auto",
  logo: "",
  languages: [],
  nonce: "",
  ...(JSON.parse(document.getElementById("boot")?.textContent ?? "{}") as Partial<Boot>),
};
