/** A tenant's functions: what each runs on, how the latest runs came out, and a panel to run one with an input. */
import { Badge, Button, Drawer, Group, Select, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import type { Row } from "../tenants/data";
import { OUTCOMES, useExecutions, useFunctions, type Execution, type Listed, type Outcome } from "./data";
import { Runs } from "./Runs";
import { TryPanel } from "./TryPanel";

export default function FunctionsTab({ tenant: { slug } }: { tenant: Row }) {
  const { t } = useI18n();
  const [tried, open] = useState<Listed | null>(null);
  const [outcome, setOutcome] = useState("");
  const functions = useFunctions(slug);
  const executions = useExecutions(slug, outcome);
  return (
    <Stack gap="md">
      <Panel flush title={t.runs.functions}>
        <Asked query={functions}>
          {(found) =>
            found.length === 0 ? (
              <Empty title={t.runs.none} hint={t.runs.noneHint} />
            ) : (
              <Sheet label={t.runs.functions} heads={[t.tenants.name, t.runs.on, t.runs.kind, ""]}>
                {found.map((one) => (
                  <Table.Tr key={`${one.name} ${one.entities.join(" ")}`}>
                    <Table.Td>
                      <Text size="sm" fw={600}>
                        {one.name}
                      </Text>
                      <Text size="xs" c="dimmed">
                        {[one.runs !== one.name && one.runs, one.entities.join(", ")].filter(Boolean).join(" · ")}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <Group gap={4}>
                        {[...one.triggers, ...one.events].map((trigger) => (
                          <Badge key={trigger} flex="none" variant="default" radius="sm" tt="none" fw={500}>
                            {trigger}
                          </Badge>
                        ))}
                      </Group>
                    </Table.Td>
                    <Table.Td style={{ whiteSpace: "nowrap" }}>{t.runs.kinds[one.kind]}</Table.Td>
                    <Table.Td ta="right">
                      <Button size="compact-xs" variant="default" onClick={() => open(one)} aria-label={t.runs.tryOf(one.name)}>
                        {t.runs.open}
                      </Button>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Sheet>
            )
          }
        </Asked>
      </Panel>
      <Panel
        flush
        title={t.work.executions}
        actions={
          <Select
            size="xs"
            w={150}
            aria-label={t.work.outcome}
            value={outcome}
            allowDeselect={false}
            onChange={(next) => setOutcome(next ?? "")}
            data={[{ value: "", label: t.runs.all }, ...(Object.keys(OUTCOMES) as Outcome[]).map((value) => ({ value, label: t.runs.outcomes[value] }))]}
          />
        }
      >
        <Asked query={executions}>{(rows: Execution[]) => <Runs rows={rows} slug={slug} />}</Asked>
      </Panel>
      <Drawer
        opened={tried !== null}
        onClose={() => open(null)}
        position="right"
        size="lg"
        title={tried && t.runs.tryOf(tried.name)}
        transitionProps={{ duration: 120 }}
      >
        {tried && <TryPanel key={tried.name} slug={slug} tried={tried} />}
      </Drawer>
    </Stack>
  );
}
