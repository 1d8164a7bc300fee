/** What others do with the editor's text: put another in its place by the least change, go to a line, undo. */
import { isolateHistory, redo, redoDepth, undo, undoDepth } from "@codemirror/commands";
import { diff } from "@codemirror/merge";
import { EditorView } from "@codemirror/view";

/** Make the text another one: one step to undo, the cursor moved along, the first change in sight. */
export function become(view: EditorView, text: string): void {
  const changes = diff(view.state.doc.toString(), text).map(({ fromA, toA, fromB, toB }) => ({ from: fromA, to: toA, insert: text.slice(fromB, toB) }));
  const first = changes[0];
  if (!first) return;
  view.dispatch({ changes, annotations: isolateHistory.of("full"), userEvent: "input.designer" });
  goTo(view, view.state.doc.lineAt(first.from).number);
}

/** Show a line in the middle and put the cursor there. */
export function goTo(view: EditorView, line: number): void {
  const { from } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
}

/** Undo and redo, for as long as the text stays as it is: null where there is nothing. */
export function backAndForth(view: EditorView): { undo: (() => void) | null; redo: (() => void) | null } {
  return {
    undo: undoDepth(view.state) > 0 ? () => void undo(view) : null,
    redo: redoDepth(view.state) > 0 ? () => void redo(view) : null,
  };
}
