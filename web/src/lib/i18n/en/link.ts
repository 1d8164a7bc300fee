export const link = {
  titles: {
    invite: "You are invited",
    recovery: "Set a new password",
    signup: "Confirm your address",
    magiclink: "Sign in",
    email_change: "Use this address",
  },
  choose: "Choose a password; from then on you sign in with it and your address.",
  press: "This link works once. Go on as:",
  setPassword: "Save and go in",
  gone: "This link does not work any more",
  goneHint: "It was used, is too old, or a newer one was sent. Ask for another.",
  setUp: "Set up BackSaas",
  setUpHint: "You become the first administrator of this installation. This page works once.",
  becomeAdmin: "Make me the administrator",
};
