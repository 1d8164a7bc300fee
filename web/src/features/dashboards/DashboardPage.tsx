/** One dashboard of the tenant's file. */
import { IconChartBar } from "@tabler/icons-react";
import { useParams } from "react-router";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { titleOf } from "@/lib/schema/words";
import { ArrangeButton } from "./editor/ArrangeButton";
import { NewButton } from "./editor/NewButton";
import { Tiles } from "./Tiles";

export default function DashboardPage() {
  const { name = "" } = useParams();
  const { t, language } = useI18n();
  const dashboard = useSchema().dashboards[name];
  if (dashboard === undefined)
    return (
      <Page title={t.figures.dashboard}>
        <Empty title={t.figures.noDashboard} hint={t.figures.noDashboardHint} icon={<IconChartBar size={24} />} />
      </Page>
    );
  return (
    <Page title={titleOf(dashboard.title, name, language)} actions={
        <>
          <NewButton />
          <ArrangeButton name={name} />
        </>
      }>
      <Tiles dashboard={dashboard} />
    </Page>
  );
}
