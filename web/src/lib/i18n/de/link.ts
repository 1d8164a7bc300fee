import type { Messages } from "../en";

export const link: Messages["link"] = {
  titles: {
    invite: "Sie sind eingeladen",
    recovery: "Neues Passwort setzen",
    signup: "Adresse bestätigen",
    magiclink: "Anmelden",
    email_change: "Diese Adresse benutzen",
  },
  choose: "Wählen Sie ein Passwort; von nun an melden Sie sich damit und mit Ihrer Adresse an.",
  press: "Dieser Link gilt einmal. Weiter als:",
  setPassword: "Speichern und hinein",
  gone: "Dieser Link gilt nicht mehr",
  goneHint: "Er wurde benutzt, ist zu alt, oder es wurde ein neuerer geschickt. Fordern Sie einen anderen an.",
  setUp: "BackSaas einrichten",
  setUpHint: "Sie werden der erste Administrator dieser Installation. Diese Seite gilt einmal.",
  becomeAdmin: "Mich zum Administrator machen",
};
