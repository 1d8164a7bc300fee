/** The entities of a tenant, to begin with: what each is, and about how many rows it has. */
import { Anchor, Skeleton, Table, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { Link } from "react-router";
import { Page } from "@/components/Page";
import { useI18n } from "@/lib/i18n";
import { countOf } from "@/lib/rows/count";
import { useSchema } from "@/lib/schema/schema";
import { entityTitle } from "@/lib/schema/words";
import { here, usePlace } from "@/lib/within";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";

export default function EntitiesPage() {
  const { t, language, format } = useI18n();
  const schema = useSchema();
  const slug = usePlace();
  const readable = Object.values(schema.entities).filter(({ may }) => may.includes("read"));
  const entities = [...readable.filter(({ added }) => !added), ...readable.filter(({ added }) => added)];
  const counts = useQueries({
    queries: entities.map((entity) => ({ queryKey: ["count", slug, entity.name, schema.version], queryFn: () => countOf(entity) })),
  });
  return (
    <Page title={t.operate.data} hint={t.operate.dataHint}>
      <Panel flush>
        <Sheet label={t.operate.data} heads={[t.operate.entity, t.operate.path, t.tenants.rows]}>
          {entities.map((entity, at) => {
            const count = counts[at]!;
            return (
              <Table.Tr key={entity.name}>
                <Table.Td>
                  <Anchor component={Link} to={here(`/data/${entity.name}`)} fw={600}>
                    {entityTitle(entity, language)}
                  </Anchor>
                  {entity.description && (
                    <Text size="xs" c="dimmed" lineClamp={1} maw={480}>
                      {entity.description}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <Text span size="xs" ff="monospace" c="dimmed">
                    /{entity.name}
                  </Text>
                </Table.Td>
                <Table.Td className="numeric">{count.isPending ? <Skeleton h={12} w={40} /> : count.data === undefined ? "–" : format.number(count.data)}</Table.Td>
              </Table.Tr>
            );
          })}
        </Sheet>
      </Panel>
    </Page>
  );
}
