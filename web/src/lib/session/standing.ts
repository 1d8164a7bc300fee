/** Standing in for a user of a tenant: the browser goes to that tenant's pages as that person, and comes back. */
import { ask } from "../api/client";
import { boot } from "../boot";

const BACK = "console";

/** Go to the tenant's pages; the place to come back to is this one. */
export function goAs(slug: string): void {
  sessionStorage.setItem(BACK, location.pathname);
  location.assign(`/app/${slug}/`);
}

export async function endStandingIn(): Promise<void> {
  await ask("/auth/v1/session", { method: "DELETE" });
  leave();
}

/** Back to where it began: the console, or for another tab the sign-in page. */
export function leave(): void {
  const back = sessionStorage.getItem(BACK);
  sessionStorage.removeItem(BACK);
  // a path of this origin alone: what begins with two slashes would name a host
  location.assign(back && /^\/(?!\/)/.test(back) ? back : `${boot.home}/`);
}
