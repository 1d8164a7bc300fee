export const console = {
  run: "Operation",
  monitoring: "Monitoring",
};
