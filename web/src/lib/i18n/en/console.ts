export const console = {
  run: "Operation",
  money: "Money",
  monitoring: "Monitoring",
  functions: "Functions",
  billing: "Billing",
};
