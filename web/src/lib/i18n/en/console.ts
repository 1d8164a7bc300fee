export const console = {
  run: "Operation",
  monitoring: "Monitoring",
  analytics: "Analytics",
};
