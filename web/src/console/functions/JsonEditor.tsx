/** JSON to write in; the text belongs to the editor, who mounts it anew with another `start` replaces it. */
import { EditorView } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import "../files/code.css";
import { base } from "../files/editor";
import classes from "./functions.module.css";

export function JsonEditor({ start, label, onChange }: { start: string; label: string; onChange: (text: string) => void }) {
  const place = useRef<HTMLDivElement>(null);
  const changed = useRef(onChange);
  useEffect(() => {
    changed.current = onChange;
  });
  useEffect(() => {
    const view = new EditorView({
      doc: start,
      parent: place.current!,
      extensions: [basicSetup, ...base(label), EditorView.updateListener.of((update) => update.docChanged && changed.current(update.state.doc.toString()))],
    });
    view.scrollDOM.tabIndex = 0; // a wide line is reached by keyboard, too
    return () => view.destroy();
  }, [start, label]);
  return <div ref={place} className={classes.json} />;
}
