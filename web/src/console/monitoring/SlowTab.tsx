/** Statements that took long, as text: what was sent with them is never kept. */
import { Group, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconBolt } from "@tabler/icons-react";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { useSlow } from "./data";
import classes from "./monitoring.module.css";

export default function SlowTab() {
  const { t, format } = useI18n();
  const words = t.monitoring;
  const [typed, setTyped] = useState("");
  const [tenant] = useDebouncedValue(typed.trim(), 250);
  const query = useSlow(tenant);
  return (
    <>
      <Group gap="sm" mb="md">
        <TextInput value={typed} onChange={(event) => setTyped(event.currentTarget.value)} placeholder={words.ofTenant} aria-label={words.ofTenant} />
        <Text size="xs" c="dimmed">
          {words.slowHint}
        </Text>
      </Group>
      <Panel flush>
        <Asked query={query}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={words.nothingSlow} icon={<IconBolt size={24} />} />
            ) : (
              <Sheet label={words.slow} heads={[t.tenants.when, t.tenants.slug, `> ${words.took}`, words.statement]}>
                {rows.map((row, at) => (
                  <Table.Tr key={`${row.at} ${at}`}>
                    <Table.Td style={{ whiteSpace: "nowrap", verticalAlign: "top" }}>{format.ago(row.at)}</Table.Td>
                    <Table.Td style={{ whiteSpace: "nowrap", verticalAlign: "top" }}>{row.tenant}</Table.Td>
                    <Table.Td className="numeric" ta="right" style={{ whiteSpace: "nowrap", verticalAlign: "top" }}>
                      {words.milliseconds(format.number(row.ms))}
                    </Table.Td>
                    <Table.Td miw={320}>
                      <code className={classes.statement} tabIndex={0}>{row.statement}</code>
                      {row.request_id && (
                        <Text size="xs" c="dimmed">
                          {words.request} {row.request_id}
                        </Text>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Sheet>
            )
          }
        </Asked>
      </Panel>
    </>
  );
}
