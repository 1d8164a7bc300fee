export const operate = {
  data: "Data",
  dataHint: "You see these rows as the tenant's admin, and change them under your own name.",
  entity: "Entity",
  path: "Path",
  ofTheFile: "Of the file",
  ofThePlatform: "Kept by the platform",
  address: "What this page asks the API",
  copyAddress: "Copy the address",
};
