/** One tenant: what it is, and everything about it in tabs. */
import { Button, Tabs } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { lazy, Suspense, type ComponentType } from "react";
import { useNavigate, useParams } from "react-router";
import { Opening } from "@/components/Opening";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { useI18n } from "@/lib/i18n";
import { Apart } from "../parts/Apart";
import { Asked } from "../parts/Asked";
import { openTenant, SYSTEM } from "../parts/tenant";
import { useAct } from "../parts/act";
import { State } from "../parts/State";
import { TONES, useTenant, type Row } from "./data";
import { TenantActions } from "./TenantActions";

type Tab = ComponentType<{ tenant: Row }>;
const TABS = {
  overview: lazy(() => import("./OverviewTab")),
  schema: lazy(() => import("../files/SchemaTab")),
  access: lazy(() => import("../access/AccessTab")),
  users: lazy(() => import("./UsersTab")),
  keys: lazy(() => import("./KeysTab")),
  functions: lazy(() => import("../functions/FunctionsTab")),
  webhooks: lazy(() => import("../webhooks/WebhooksTab")),
  work: lazy(() => import("../webhooks/WorkTab")),
  usage: lazy(() => import("./UsageTab")),
  billing: lazy(() => import("../billing/BillingTab")),
  settings: lazy(() => import("./SettingsTab")),
  audit: lazy(() => import("./AuditTab")),
} satisfies Record<string, Tab>;

/** What there is of the platform itself: it is neither entered nor suspended here. */
const OF_SYSTEM = new Set<string>(["overview", "schema", "data", "webhooks", "work", "audit"]);

/** What the tenant itself is asked for, as its admin. */
const INSIDE = new Set<string>(["access", "functions", "webhooks", "work"]);

/** Data has pages of its own. */
const NAMES = ["overview", "schema", "access", "data", "users", "keys", "functions", "webhooks", "work", "usage", "billing", "settings", "audit"] as const satisfies (keyof typeof TABS | "data")[];
type Name = keyof typeof TABS;

export default function TenantPage() {
  const { t } = useI18n();
  const { slug = "", tab = "overview" } = useParams();
  const navigate = useNavigate();
  const query = useTenant(slug);
  const enter = useAct(openTenant, "");
  return (
    <Asked query={query}>
      {(tenant) => {
        if (!tenant || !(tab in TABS)) return <NotFound />;
        const Content: Tab = TABS[tab as Name];
        return (
          <Page
            title={tenant.name || slug}
            hint={
              <>
                {slug} · <State tone={TONES[tenant.status]}>{t.tenants.status[tenant.status]}</State>
              </>
            }
            actions={
              slug !== SYSTEM && <>
                <Button
                  variant="default"
                  leftSection={<IconExternalLink size={16} aria-hidden />}
                  disabled={tenant.status !== "active"}
                  loading={enter.isPending}
                  onClick={() => enter.mutate(slug)}
                >
                  {t.tenants.open}
                </Button>
                <TenantActions tenant={tenant} />
              </>
            }
          >
            <Tabs value={tab} onChange={(name) => void navigate(`/tenants/${slug}/${name ?? ""}`)} keepMounted={false}>
              <Tabs.List style={{ flexWrap: "nowrap", overflowX: "auto", overflowY: "hidden" }}>
                {NAMES.filter((name) => slug !== SYSTEM || OF_SYSTEM.has(name)).map((name) => (
                  <Tabs.Tab key={name} value={name}>
                    {t.tenants.tabs[name]}
                  </Tabs.Tab>
                ))}
              </Tabs.List>
              <Tabs.Panel value={tab} pt="md">
                <Suspense fallback={<Opening />}>
                  {INSIDE.has(tab) ? (
                    <Apart slug={slug}>
                      <Content tenant={tenant} />
                    </Apart>
                  ) : (
                    <Content tenant={tenant} />
                  )}
                </Suspense>
              </Tabs.Panel>
            </Tabs>
          </Page>
        );
      }}
    </Asked>
  );
}
