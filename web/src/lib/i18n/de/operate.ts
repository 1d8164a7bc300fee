import type { Messages } from "../en";

export const operate: Messages["operate"] = {
  data: "Daten",
  dataHint: "Sie sehen diese Zeilen als Admin des Mandanten und ändern sie unter Ihrem eigenen Namen.",
  entity: "Entität",
  path: "Pfad",
  ofTheFile: "Aus der Datei",
  ofThePlatform: "Von der Plattform geführt",
  address: "Was diese Seite die API fragt",
  copyAddress: "Adresse kopieren",
};
