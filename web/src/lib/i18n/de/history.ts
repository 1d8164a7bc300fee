import type { Messages } from "../en";

export const history: Messages["history"] = {
  title: "Verlauf",
  operations: { create: "Angelegt", update: "Geändert", delete: "Gelöscht", restore: "Wiederhergestellt", kept: "Erstmals aufbewahrt" },
  somebody: "Jemand",
  version: (number: number) => `Fassung ${number}`,
  revert: "Hierhin zurück",
  revertAsk: (number: number) => `Zurück zu Fassung ${number}?`,
  revertHint: "Die Zeile wird geschrieben, wie sie damals war, als weitere Fassung.",
  reverted: "Die Zeile ist wieder wie damals.",
  older: "Ältere",
  from: "vorher",
  to: "nachher",
};
