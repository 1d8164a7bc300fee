import type { Messages } from "../en";

export const audit: Messages["audit"] = {
  title: "Protokoll",
  about: "Worum es ging",
  details: "Einzelheiten",
  findAction: "Was getan wurde …",
  findWho: "Von wem …",
};
