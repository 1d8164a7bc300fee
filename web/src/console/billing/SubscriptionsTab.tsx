/** Which tenant has which plan, until when, and what changes of it. */
import { Anchor, Group, Table, Text } from "@mantine/core";
import { IconCreditCard } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { useSubscriptions } from "./data";
import { PlanButtons } from "./PlanButtons";
import { Standing } from "./Standing";

export default function SubscriptionsTab() {
  const { t, format } = useI18n();
  const words = t.billing;
  const query = useSubscriptions();
  return (
    <Panel flush>
      <Asked query={query}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={words.noSubscriptions} hint={words.noSubscriptionsHint} icon={<IconCreditCard size={24} />} />
          ) : (
            <Sheet label={words.tabs.subscriptions} heads={[t.tenants.slug, t.tenants.plan, words.state, `> ${words.perMonth}`, words.renews, ""]}>
              {rows.map((row) => (
                <Table.Tr key={row.id}>
                  <Table.Td>
                    <Anchor component={Link} to={`/tenants/${row.tenant.slug}/billing`} fw={600}>
                      {row.tenant.slug}
                    </Anchor>
                  </Table.Td>
                  <Table.Td style={{ whiteSpace: "nowrap" }}>{row.plan.title}</Table.Td>
                  <Table.Td>
                    <Standing subscription={row} />
                  </Table.Td>
                  <Table.Td className="numeric" ta="right" style={{ whiteSpace: "nowrap" }}>{format.money(row.plan.price, row.plan.currency)}</Table.Td>
                  <Table.Td style={{ whiteSpace: "nowrap" }}>
                    {format.day(row.period_end)}
                    {row.cancel_at_end && (
                      <Text size="xs" c="dimmed">
                        {words.endsThen}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <Group gap={4} wrap="nowrap" justify="flex-end">
                      <PlanButtons slug={row.tenant.slug} subscription={row} size="xs" />
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Sheet>
          )
        }
      </Asked>
    </Panel>
  );
}
