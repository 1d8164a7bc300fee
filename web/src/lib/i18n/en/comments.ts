export const comments = {
  title: "Comments",
  none: "Nobody has said anything about this yet.",
  placeholder: "Say something about this",
  hint: "Markdown works. Who may see this may read it.",
  send: "Comment",
  delete: (who: string) => `Delete the comment by ${who}`,
  deleteAsk: "Delete this comment?",
  deleteHint: "It is gone for everybody.",
  me: "Me",
};
