/** Every page of the tenant UI; each is fetched when somebody goes there. */
import type { RouteObject } from "react-router";
import { NotFound, PageError } from "@/components/PageError";
import { TenantShell } from "./TenantShell";

export const routes: RouteObject[] = [
  {
    element: <TenantShell />,
    errorElement: <PageError />,
    children: [
      {
        errorElement: <PageError />,
        children: [
          { index: true, lazy: async () => ({ Component: (await import("@/features/home/HomePage")).default }) },
          { path: "data/:entity", lazy: async () => ({ Component: (await import("@/features/data/DataPage")).default }) },
          { path: "data/:entity/new", lazy: async () => ({ Component: (await import("@/features/record/NewPage")).default }) },
          { path: "data/:entity/import", lazy: async () => ({ Component: (await import("@/features/importing/ImportPage")).default }) },
          { path: "data/:entity/:id", lazy: async () => ({ Component: (await import("@/features/record/RecordPage")).default }) },
          { path: "data/:entity/:id/edit", lazy: async () => ({ Component: (await import("@/features/record/EditPage")).default }) },
          { path: "account", lazy: async () => ({ Component: (await import("@/features/account/AccountPage")).default }) },
          { path: "people", lazy: async () => ({ Component: (await import("@/features/people/PeoplePage")).default }) },
          { path: "keys", lazy: async () => ({ Component: (await import("@/features/keys/KeysPage")).default }) },
          { path: "approvals", lazy: async () => ({ Component: (await import("@/features/workflow/InboxPage")).default }) },
          { path: "dashboards/:name", lazy: async () => ({ Component: (await import("@/features/dashboards/DashboardPage")).default }) },
          { path: "reports/:name", lazy: async () => ({ Component: (await import("@/features/reports/ReportPage")).default }) },
          { path: "dashboards/:name/edit", lazy: async () => ({ Component: (await import("@/features/dashboards/editor/EditPage")).default }) },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];
