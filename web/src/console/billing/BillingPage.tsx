/** What the installation earns: revenue, invoices, subscriptions, quotas and plans, each a tab. */
import { Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useNavigate, useParams } from "react-router";
import { Opening } from "@/components/Opening";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { useI18n } from "@/lib/i18n";

const TABS = {
  revenue: lazy(() => import("./RevenueTab")),
  invoices: lazy(() => import("./InvoicesTab")),
  subscriptions: lazy(() => import("./SubscriptionsTab")),
  quotas: lazy(() => import("./QuotasTab")),
  plans: lazy(() => import("./PlansTab")),
};
type Name = keyof typeof TABS;

export default function BillingPage() {
  const { t } = useI18n();
  const { tab = "revenue" } = useParams();
  const navigate = useNavigate();
  if (!(tab in TABS)) return <NotFound />;
  const Content = TABS[tab as Name];
  return (
    <Page title={t.billing.title}>
      <Tabs value={tab} onChange={(name) => void navigate(`/billing/${name ?? ""}`)} keepMounted={false}>
        <Tabs.List style={{ flexWrap: "nowrap", overflowX: "auto", overflowY: "hidden" }}>
          {(Object.keys(TABS) as Name[]).map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t.billing.tabs[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab} pt="md">
          <Suspense fallback={<Opening />}>
            <Content />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
