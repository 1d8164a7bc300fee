/** CodeMirror for tenant files: YAML, completion and hover from the language's schema, findings from the server. */
import { autocompletion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, linter, type Diagnostic } from "@codemirror/lint";
import type { Extension, Text } from "@codemirror/state";
import { EditorView, hoverTooltip } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { boot } from "@/lib/boot";
import type { Finding } from "../tenants/data";
import { keysAt, schemasAt, told, valuesAt, wayTo, type LanguageSchema } from "./yaml";

const highlighting = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: [tags.string, tags.content, tags.attributeValue], color: "var(--code-value)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.keyword, tags.bool, tags.number], color: "var(--code-word)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--mantine-color-body)", color: "var(--mantine-color-text)" },
  ".cm-scroller": { fontFamily: "ui-monospace, 'SF Mono', Menlo, Consolas, monospace", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--surface-sunken)", color: "var(--mantine-color-dimmed)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in oklab, var(--mantine-color-accent-6) 8%, transparent)" },
  "&.cm-focused": { outline: "2px solid var(--mantine-color-accent-6)", outlineOffset: "-2px" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in oklab, var(--mantine-color-accent-6) 26%, transparent)",
  },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--mantine-color-body)", color: "var(--mantine-color-text)", border: "1px solid var(--line)", borderRadius: "7px" },
  ".cm-tooltip-hover": { padding: "6px 10px", maxWidth: "420px", fontSize: "12px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--mantine-color-accent-6)", color: "#fff" },
});

/** What every view of a file has. */
export function base(label: string): Extension[] {
  return [
    yaml(),
    syntaxHighlighting(highlighting),
    look,
    EditorView.cspNonce.of(boot.nonce),
    EditorView.contentAttributes.of({ "aria-label": label }),
  ];
}

/** Completion and hover. */
export function helped(schema: LanguageSchema): Extension[] {
  const complete = (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w-]*/);
    if (!word || (word.from === word.to && !context.explicit && !/[{,:] $/.test(context.state.sliceDoc(word.from - 2, word.from)))) return null;
    const { way, key } = wayTo(context.state.doc.toString(), word.from);
    if (key !== null) {
      const values = valuesAt(schema, [...way, key]);
      return values.length ? { from: word.from, options: values.map((label) => ({ label, type: "constant" })) } : null;
    }
    const keys = keysAt(schema, way);
    return keys.length
      ? { from: word.from, options: keys.map(({ key: label, told: info }) => ({ label, type: "property", apply: `${label}: `, ...(info && { info }) })) }
      : null;
  };
  const hover = hoverTooltip((view, at) => {
    const line = view.state.doc.lineAt(at);
    for (const found of line.text.matchAll(/[\w-]+(?=\s*:)/g)) {
      const from = line.from + found.index;
      const to = from + found[0].length;
      if (at < from || at > to) continue;
      const { way } = wayTo(view.state.doc.toString(), from);
      const words = schemasAt(schema, [...way, found[0]]).map((one) => told(schema, one)).find(Boolean);
      if (!words) return null;
      return {
        pos: from,
        end: to,
        create: () => {
          const dom = document.createElement("div");
          dom.textContent = words;
          return { dom };
        },
      };
    }
    return null;
  });
  return [autocompletion({ override: [complete] }), hover];
}

/** Findings of `check` beside the lines, asked a moment after the last key. */
export function checked(check: (text: string) => Promise<Finding[]>): Extension[] {
  return [
    lintGutter(),
    linter(async (view) => (await check(view.state.doc.toString())).map((finding) => placed(view.state.doc, finding)), { delay: 350 }),
  ];
}

function placed(doc: Text, finding: Finding): Diagnostic {
  const line = doc.line(Math.min(Math.max(finding.line, 1), doc.lines));
  const from = Math.min(line.from + Math.max(finding.column - 1, 0), line.to);
  const word = /^[\w-]+/.exec(doc.sliceString(from, line.to))?.[0].length ?? 1;
  const message = [finding.detail ?? finding.message, finding.hint].filter(Boolean).join(" – ");
  return { from, to: Math.min(from + word, line.to), severity: finding.severity === "warning" ? "warning" : "error", message, source: finding.code };
}
