/** The start page of a tenant: its first dashboard, else the ways into its data. */
import { Paper, SimpleGrid, Text } from "@mantine/core";
import { Link } from "react-router";
import { shownEntities } from "@/app/navigation";
import { Page } from "@/components/Page";
import { ArrangeButton } from "@/features/dashboards/editor/ArrangeButton";
import { Tiles } from "@/features/dashboards/Tiles";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { entityTitle, titleOf } from "@/lib/schema/words";
import classes from "./HomePage.module.css";

export default function HomePage() {
  const { t, language } = useI18n();
  const schema = useSchema();
  const [first] = Object.entries(schema.dashboards);
  if (first !== undefined && first[1].widgets.length > 0)
    return (
      <Page title={titleOf(first[1].title, first[0], language)} actions={<ArrangeButton name={first[0]} />}>
        <Tiles dashboard={first[1]} />
      </Page>
    );
  return (
    <Page title={t.shell.overview}>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="md">
        {shownEntities(schema.entities).map((entity) => (
          <Paper key={entity.name} component={Link} to={`/data/${entity.name}`} withBorder p="md" className={classes.card}>
            <Text fw={600}>{entityTitle(entity, language)}</Text>
            <Text size="sm" c="dimmed" lineClamp={2}>
              {entity.description}
            </Text>
          </Paper>
        ))}
      </SimpleGrid>
    </Page>
  );
}
