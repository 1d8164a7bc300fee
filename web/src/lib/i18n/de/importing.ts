import type { Messages } from "../en";

export const importing: Messages["importing"] = {
  title: (title: string) => `Importieren: ${title}`,
  choose: "Datei wählen",
  hint: "CSV, Excel (.xlsx) oder NDJSON. Die erste Zeile benennt die Spalten. Geschrieben wird erst, wenn Sie es sagen.",
  columns: "Was die Spalten sind",
  column: "Spalte der Datei",
  example: "Erste Zeilen",
  leaveOut: "Weglassen",
  check: "Alle Zeilen prüfen",
  checked: (count: string) => `${count} Zeilen sind in Ordnung. Noch ist nichts geschrieben.`,
  rejected: (bad: string, all: string) => `${bad} von ${all} Zeilen sind nicht annehmbar`,
  row: "Zeile",
  problem: "Was nicht stimmt",
  run: "Alle importieren",
  runFine: "Die annehmbaren Zeilen importieren",
  done: (count: string) => `${count} Zeilen wurden importiert`,
  showRows: "Zeilen zeigen",
  download: "Abgelehnte Zeilen als CSV",
  working: "Datei wird gelesen",
  another: "Andere Datei",
};
