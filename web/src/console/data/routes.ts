/** The pages of a tenant's data in the console: those of its own face, at the same places below the tenant. */
import type { RouteObject } from "react-router";

export const DATA: RouteObject[] = [
  { index: true, lazy: async () => ({ Component: (await import("./EntitiesPage")).default }) },
  { path: ":entity", lazy: async () => ({ Component: (await import("@/features/data/DataPage")).default }) },
  { path: ":entity/new", lazy: async () => ({ Component: (await import("@/features/record/NewPage")).default }) },
  { path: ":entity/import", lazy: async () => ({ Component: (await import("@/features/importing/ImportPage")).default }) },
  { path: ":entity/:id", lazy: async () => ({ Component: (await import("@/features/record/RecordPage")).default }) },
  { path: ":entity/:id/edit", lazy: async () => ({ Component: (await import("@/features/record/EditPage")).default }) },
];
