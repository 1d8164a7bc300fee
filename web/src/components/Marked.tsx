/** A text with what a search found in it marked; the API's `_highlight`, where only the marks are tags. */
import { Mark } from "@mantine/core";

const ENTITIES: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'", "&#x27;": "'" };

export function Marked({ html }: { html: string }) {
  return html.split(/<mark>(.*?)<\/mark>/s).map((part, at) => {
    const text = part.replace(/&(?:lt|gt|amp|quot|#39|#x27);/g, (entity) => ENTITIES[entity] ?? entity);
    return at % 2 === 1 ? <Mark key={at}>{text}</Mark> : text;
  });
}
