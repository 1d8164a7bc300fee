/** What the buttons above a Markdown field write: around what is selected, or before its lines. Pure. */

export interface Selected {
  text: string;
  from: number;
  to: number;
}

export type Mark = "bold" | "italic" | "heading" | "bullets" | "numbers" | "quote" | "link";

const AROUND: Partial<Record<Mark, string>> = { bold: "**", italic: "_" };
const BEFORE: Partial<Record<Mark, (at: number) => string>> = {
  heading: () => "## ",
  bullets: () => "- ",
  numbers: (at) => `${at + 1}. `,
  quote: () => "> ",
};

/** Mark what is selected; marked already, the marks go again. */
export function marked({ text, from, to }: Selected, mark: Mark): Selected {
  const chosen = text.slice(from, to);
  const around = AROUND[mark];
  if (around) {
    const outer = text.slice(from - around.length, from) === around && text.slice(to, to + around.length) === around;
    if (outer) return { text: text.slice(0, from - around.length) + chosen + text.slice(to + around.length), from: from - around.length, to: to - around.length };
    return { text: text.slice(0, from) + around + chosen + around + text.slice(to), from: from + around.length, to: to + around.length };
  }
  if (mark === "link") {
    const address = /^https?:\/\//.test(chosen);
    const [words, to_] = address ? ["", chosen] : [chosen, "https://"];
    const written = `[${words}](${to_})`;
    const place = address ? from + 1 : from + words.length + 3;
    return { text: text.slice(0, from) + written + text.slice(to), from: place, to: address ? place : place + to_.length };
  }
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const next = text.indexOf("\n", to);
  const end = next < 0 ? text.length : next;
  const lines = text.slice(start, end).split("\n");
  const prefix = BEFORE[mark]!;
  const all = lines.every((line, at) => line.startsWith(prefix(at)));
  const written = lines.map((line, at) => (all ? line.slice(prefix(at).length) : prefix(at) + line)).join("\n");
  return { text: text.slice(0, start) + written + text.slice(end), from: start, to: start + written.length };
}
