/** Every page of the console; each is fetched when somebody goes there. */
import type { RouteObject } from "react-router";
import { NotFound, PageError } from "@/components/PageError";
import { ConsoleShell } from "./ConsoleShell";
import { DATA } from "./data/routes";

export const routes: RouteObject[] = [
  {
    element: <ConsoleShell />,
    errorElement: <PageError />,
    children: [
      {
        errorElement: <PageError />,
        children: [
          { index: true, lazy: async () => ({ Component: (await import("./overview/OverviewPage")).default }) },
          { path: "tenants", lazy: async () => ({ Component: (await import("./tenants/TenantsPage")).default }) },
          { path: "tenants/new", lazy: async () => ({ Component: (await import("./tenants/NewTenantPage")).default }) },
          {
            path: "tenants/:slug/data",
            lazy: async () => ({ Component: (await import("./data/TenantData")).default }),
            children: DATA,
          },
          { path: "tenants/:slug/:tab?", lazy: async () => ({ Component: (await import("./tenants/TenantPage")).default }) },
          { path: "analytics", lazy: async () => ({ Component: (await import("./analytics/AnalyticsPage")).default }) },
          { path: "billing/invoices/:id", lazy: async () => ({ Component: (await import("./billing/InvoicePage")).default }) },
          { path: "billing/:tab?", lazy: async () => ({ Component: (await import("./billing/BillingPage")).default }) },
          { path: "monitoring/:tab?", lazy: async () => ({ Component: (await import("./monitoring/MonitoringPage")).default }) },
          { path: "audit", lazy: async () => ({ Component: (await import("./audit/AuditPage")).default }) },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];
