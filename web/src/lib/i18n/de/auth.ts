import type { Messages } from "../en";

export const auth: Messages["auth"] = {
  signIn: "Anmelden",
  signInTo: (name: string) => `Bei ${name} anmelden`,
  email: "E-Mail",
  password: "Passwort",
  forgot: "Passwort vergessen?",
  failed: "Das hat nicht geklappt",
  wrong: "Adresse oder Passwort ist falsch.",
  slow: "Zu viele Versuche. Warten Sie einen Moment.",
  notAdmin: "Dieser Ort ist für die Verwaltung der Installation.",
  welcome: "Willkommen zurück",
};
