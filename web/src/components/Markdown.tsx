/** Markdown of rows as HTML: the one place where a text becomes markup, after everything that could run is taken out. */
import { Typography } from "@mantine/core";
import DOMPurify from "dompurify";
import { Marked } from "marked";
import { useMemo } from "react";
import classes from "./Markdown.module.css";

const ALLOWED = {
  ALLOWED_TAGS: ["a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"],
  ALLOWED_ATTR: ["href", "title", "align"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel):/i,
};

// any other tag, and every attribute, is text from the start: what a parser makes of it meets the page's policy, even unseen
const strange = new RegExp(`<(?!/?(?:${ALLOWED.ALLOWED_TAGS.join("|")})\\s*/?>)`, "gi");
const marked = new Marked({ gfm: true, breaks: true, renderer: { html: ({ text }) => text.replace(strange, "&lt;") } });

const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

export function Markdown({ text }: { text: string }) {
  const html = useMemo(() => purify.sanitize(marked.parse(text, { async: false }), ALLOWED), [text]);
  return (
    <Typography>
      <div className={classes.text} dangerouslySetInnerHTML={{ __html: html }} />
    </Typography>
  );
}
