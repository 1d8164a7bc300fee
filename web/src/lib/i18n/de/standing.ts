import type { Messages } from "../en";

export const standing: Messages["standing"] = {
  button: "Vertreten",
  title: (email) => `${email} vertreten`,
  hint: "So viele Minuten sehen Sie die Seiten des Mandanten wie diese Person und handeln für sie. Alles steht mit Ihrem Namen und dem Grund im Protokoll.",
  reason: "Grund",
  minutes: "Minuten",
  open: "Hineingehen",
  banner: (by, email) => `${by} vertritt ${email}.`,
  ends: (moment) => `Was geschrieben wird, steht mit beiden Namen im Protokoll. Es endet um ${moment}.`,
  end: "Jetzt beenden",
  here: (email) => `Sie vertreten hier ${email}`,
  hereHint: "Solange das so ist, ist dieser Browser in diesem Mandanten diese Person. Beenden Sie es, um den Mandanten wieder zu betreuen.",
  back: "Zurück zu den Seiten",
};
