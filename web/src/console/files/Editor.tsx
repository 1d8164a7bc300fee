/** A tenant file to write in. The text belongs to the editor; who mounts it anew with another `start` replaces it. */
import { EditorView } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import type { Finding } from "../tenants/data";
import "./code.css";
import { base, checked, helped } from "./editor";
import classes from "./files.module.css";
import type { LanguageSchema } from "./yaml";

interface Properties {
  start: string;
  label: string;
  language: LanguageSchema;
  onChange: (text: string) => void;
  check: (text: string) => Promise<Finding[]>;
  /** Gets the editor itself, for who edits its text from outside. */
  onView: (view: EditorView) => void;
}

export function Editor({ start, label, language, onChange, check, onView }: Properties) {
  const place = useRef<HTMLDivElement>(null);
  const changed = useRef(onChange);
  const asked = useRef(check);
  useEffect(() => {
    changed.current = onChange;
    asked.current = check;
  });
  useEffect(() => {
    const view = new EditorView({
      doc: start,
      parent: place.current!,
      extensions: [
        basicSetup,
        ...base(label),
        ...helped(language),
        ...checked((text) => asked.current(text)),
        EditorView.updateListener.of((update) => update.docChanged && changed.current(update.state.doc.toString())),
      ],
    });
    view.scrollDOM.tabIndex = 0; // a wide line is reached by keyboard, too
    onView(view);
    return () => view.destroy();
  }, [start, label, language, onView]);
  return <div ref={place} className={classes.editor} />;
}
