/** The start page of a tenant: its first dashboard, else the ways into its data. */
import { SimpleGrid } from "@mantine/core";
import { shownEntities } from "@/app/navigation";
import { Page } from "@/components/Page";
import { ArrangeButton } from "@/features/dashboards/editor/ArrangeButton";
import { NewButton } from "@/features/dashboards/editor/NewButton";
import { Tiles } from "@/features/dashboards/Tiles";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { titleOf } from "@/lib/schema/words";
import { EntityCard } from "./EntityCard";

export default function HomePage() {
  const { t, language } = useI18n();
  const schema = useSchema();
  const [first] = Object.entries(schema.dashboards);
  if (first !== undefined && first[1].widgets.length > 0)
    return (
      <Page title={titleOf(first[1].title, first[0], language)} actions={
        <>
          <NewButton />
          <ArrangeButton name={first[0]} />
        </>
      }>
        <Tiles dashboard={first[1]} />
      </Page>
    );
  return (
    <Page title={t.shell.overview} actions={<NewButton />}>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="md">
        {shownEntities(schema.entities).map((entity) => (
          <EntityCard key={entity.name} entity={entity} />
        ))}
      </SimpleGrid>
    </Page>
  );
}
