export const history = {
  title: "History",
  operations: { create: "Created", update: "Changed", delete: "Deleted", restore: "Restored", kept: "First kept" } as Record<string, string>,
  somebody: "Somebody",
  version: (number: number) => `Version ${number}`,
  revert: "Go back to this",
  revertAsk: (number: number) => `Go back to version ${number}?`,
  revertHint: "The row is written as it was then, as one more version.",
  reverted: "The row is as it was then.",
  older: "Older",
  from: "before",
  to: "after",
};
