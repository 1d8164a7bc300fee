/** Who uses how much of the plan; the nearest to a limit comes first. */
import { Anchor, Table, Text } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { useQuotas } from "./data";
import { QuotaBars } from "./QuotaBars";

export default function QuotasTab() {
  const { t } = useI18n();
  const words = t.billing;
  const query = useQuotas();
  return (
    <Panel flush>
      <Asked query={query}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={words.noQuotas} hint={words.noSubscriptionsHint} icon={<IconGauge size={24} />} />
          ) : (
            <Sheet label={words.tabs.quotas} heads={[t.tenants.slug, t.tenants.plan, words.tabs.quotas]}>
              {rows.map(({ tenant, plan, quotas }) => (
                <Table.Tr key={tenant}>
                  <Table.Td style={{ verticalAlign: "top" }}>
                    <Anchor component={Link} to={`/tenants/${tenant}/billing`} fw={600}>
                      {tenant}
                    </Anchor>
                  </Table.Td>
                  <Table.Td style={{ verticalAlign: "top" }}>{plan}</Table.Td>
                  <Table.Td miw={260}>
                    {Object.keys(quotas).length === 0 ? (
                      <Text size="sm" c="dimmed">
                        {words.nothingCounted}
                      </Text>
                    ) : (
                      <QuotaBars quotas={quotas} />
                    )}
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
