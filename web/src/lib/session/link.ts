/**
 * What a mailed or printed link brought along: `#token=…&type=…`. Taken out of the address before anything else runs,
 * so that it stays in no history; browsers tell it no server.
 */
export interface MailedLink {
  token: string;
  type: string;
}

export function takeLink(): MailedLink {
  const given = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  return { token: given.get("token") ?? "", type: given.get("type") ?? "" };
}
