/** Runs of functions, newest first; one opens to what it said and where it went wrong. */
import { Modal, Stack, Table, Text, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Facts } from "../parts/Facts";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import { OUTCOMES, type Execution } from "./data";
import { Outcome } from "./Outcome";

export function Runs({ rows, slug }: { rows: Execution[]; slug: string }) {
  const { t, format } = useI18n();
  const [shown, show] = useState<Execution | null>(null);
  if (rows.length === 0) return <Empty title={t.work.noExecutions} hint={t.runs.noRunsHint} />;
  return (
    <>
      <Sheet label={t.work.executions} heads={[t.tenants.when, t.work.function, t.work.trigger, t.work.outcome, t.work.took]}>
        {rows.map((one) => (
          <Table.Tr key={one.id}>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{format.moment(one.started_at)}</Table.Td>
            <Table.Td>
              <UnstyledButton fz="sm" fw={600} onClick={() => show(one)}>
                {one.name || one.function}
              </UnstyledButton>
            </Table.Td>
            <Table.Td>{one.trigger}</Table.Td>
            <Table.Td maw={420}>
              <State tone={OUTCOMES[one.outcome]}>{t.runs.outcomes[one.outcome]}</State>
              {(one.error || one.line) && (
                <Text size="xs" c="dimmed" lineClamp={1}>
                  {[one.line && t.work.line(one.line), lastLine(one.error)].filter(Boolean).join(" · ")}
                </Text>
              )}
            </Table.Td>
            <Table.Td className="numeric" style={{ whiteSpace: "nowrap" }}>
              {t.tenants.ms(format.number(Math.round(one.milliseconds * 10) / 10))}
            </Table.Td>
          </Table.Tr>
        ))}
      </Sheet>
      <Modal opened={shown !== null} onClose={() => show(null)} size="lg" title={shown && (shown.name || shown.function)}>
        {shown && (
          <Stack gap="md">
            <Facts
              of={[
                [t.tenants.when, format.moment(shown.started_at)],
                [t.work.trigger, shown.trigger],
                [t.runs.row, [shown.entity, shown.key].filter(Boolean).join(" ")],
                [t.tenants.version, shown.version],
                [t.runs.request, shown.request_id],
              ]}
            />
            <Outcome result={{ ...shown, errors: [], log: shown.log ?? [] }} file={`${slug}.py`} />
          </Stack>
        )}
      </Modal>
    </>
  );
}

/** Of a trace, what it was in the end. */
function lastLine(error: string | null): string {
  return error?.trim().split("\n").at(-1) ?? "";
}
