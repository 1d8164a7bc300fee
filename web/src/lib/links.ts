/** Addresses out of rows: only schemes that open pages, mail or telephones. */
const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:"]);

export function safeLink(text: string): string | undefined {
  try {
    const url = new URL(text);
    return SCHEMES.has(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
