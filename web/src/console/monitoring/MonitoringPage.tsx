/** The running process: what it is like now, its actors, its log, what is slow and what was reloaded; live. */
import { Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useNavigate, useParams } from "react-router";
import { Opening } from "@/components/Opening";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { useI18n } from "@/lib/i18n";

const TABS = {
  now: lazy(() => import("./NowTab")),
  log: lazy(() => import("./LogTab")),
  slow: lazy(() => import("./SlowTab")),
  reloads: lazy(() => import("./ReloadsTab")),
};
type Name = keyof typeof TABS;

export default function MonitoringPage() {
  const { t } = useI18n();
  const { tab = "now" } = useParams();
  const navigate = useNavigate();
  if (!(tab in TABS)) return <NotFound />;
  const Content = TABS[tab as Name];
  return (
    <Page title={t.console.monitoring}>
      <Tabs value={tab} onChange={(name) => void navigate(`/monitoring/${name ?? ""}`)} keepMounted={false}>
        <Tabs.List style={{ flexWrap: "nowrap", overflowX: "auto", overflowY: "hidden" }}>
          {(Object.keys(TABS) as Name[]).map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t.monitoring.tabs[name]}
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
