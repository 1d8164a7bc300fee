import type { Messages } from "../en";

export const console: Messages["console"] = {
  run: "Betrieb",
  money: "Geld",
  monitoring: "Überwachung",
  functions: "Funktionen",
  billing: "Abrechnung",
};
