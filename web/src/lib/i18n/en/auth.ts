export const auth = {
  signIn: "Sign in",
  signInTo: (name: string) => `Sign in to ${name}`,
  email: "E-mail",
  password: "Password",
  forgot: "Forgot your password?",
  failed: "That did not work",
  wrong: "Address or password is wrong.",
  slow: "Too many attempts. Wait a moment and try again.",
  notAdmin: "This place is for administrators of the installation.",
  welcome: "Welcome back",
};
