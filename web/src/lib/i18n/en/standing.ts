export const standing = {
  button: "Stand in",
  title: (email: string) => `Stand in for ${email}`,
  hint: "You see this tenant's pages as this person does and act for them, for the minutes you name. Everything is on record with your name and reason.",
  reason: "Reason",
  minutes: "Minutes",
  open: "Go in",
  banner: (by: string, email: string) => `${by} stands in for ${email}.`,
  ends: (moment: string) => `What is written is on record with both. It ends at ${moment}.`,
  end: "End it now",
  here: (email: string) => `You stand in for ${email} here`,
  hereHint: "As long as you do, this browser is that person in this tenant. End it to look after the tenant again.",
  back: "Back to their pages",
};
