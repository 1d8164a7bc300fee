export const audit = {
  title: "Audit log",
  about: "About",
  details: "Details",
  findAction: "What was done…",
  findWho: "By whom…",
};
