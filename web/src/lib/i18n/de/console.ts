import type { Messages } from "../en";

export const console: Messages["console"] = {
  run: "Betrieb",
  monitoring: "Überwachung",
  analytics: "Auswertung",
};
