import type { Messages } from "../en";

export const comments: Messages["comments"] = {
  title: "Kommentare",
  none: "Noch hat niemand etwas dazu gesagt.",
  placeholder: "Etwas dazu sagen",
  hint: "Markdown geht. Wer dies sehen darf, darf es lesen.",
  send: "Kommentieren",
  delete: (who: string) => `Den Kommentar von ${who} löschen`,
  deleteAsk: "Diesen Kommentar löschen?",
  deleteHint: "Er ist für alle weg.",
  me: "Ich",
};
