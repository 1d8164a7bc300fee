import type { Messages } from "../en";

export const members: Messages["members"] = {
  title: "Mitglieder",
  hint: "Personen der Plattform, die hierher gehören: Sie melden sich einmal an und betreten alle ihre Mandanten",
  invite: "Mitglied einladen",
  inviteHint: "Sie bekommen eine Mail mit einem Link; mit dem ersten Besuch gehören sie dazu.",
  none: "Keine Mitglieder",
  noneHint: "Laden Sie ein, wer diesen Mandanten betreibt.",
  accounts: "Konten",
  accountsHint: "Wer ein eigenes Konto dieses Mandanten hat",
  roleOf: (email) => `Rolle von ${email}`,
  changed: (email) => `Die Rolle von ${email} ist geändert`,
  remove: "Entfernen",
  removeSure: (email) => `${email} aus diesem Mandanten entfernen?`,
  removeHint: "Sie werden hier binnen einer Sekunde abgemeldet. Das Konto auf der Plattform bleibt.",
  removed: (email) => `${email} gehört nicht mehr hierher`,
  withdraw: "Zurückziehen",
  withdrawn: (email) => `Die Einladung von ${email} ist zurückgezogen`,
};
