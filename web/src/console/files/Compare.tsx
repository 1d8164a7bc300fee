/** Two texts side by side, one above the other where the screen is narrow; only read. */
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useMediaQuery } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import "./code.css";
import { base } from "./editor";
import classes from "./files.module.css";

export function Compare({ before, after, labels }: { before: string; after: string; labels: [string, string] }) {
  const place = useRef<HTMLDivElement>(null);
  const narrow = useMediaQuery("(max-width: 48em)");
  const [left, right] = labels;
  useEffect(() => {
    const parent = place.current!;
    const reading = (label: string) => [...base(label), lineNumbers(), EditorState.readOnly.of(true), EditorView.lineWrapping];
    const collapseUnchanged = { margin: 3, minSize: 6 };
    const view = narrow
      ? new EditorView({ doc: after, parent, extensions: [...reading(right), unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged })] })
      : new MergeView({ a: { doc: before, extensions: reading(left) }, b: { doc: after, extensions: reading(right) }, parent, collapseUnchanged });
    const parts = view instanceof MergeView ? [view.a, view.b] : [view];
    for (const part of parts) part.scrollDOM.tabIndex = 0; // reached by keyboard, too
    return () => view.destroy();
  }, [before, after, narrow, left, right]);
  return <div ref={place} className={classes.diff} />;
}
