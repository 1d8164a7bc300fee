/** What a tenant did by itself: tasks that gave up, deliveries of webhooks, runs of functions. */
import { Button, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { useAct } from "../parts/act";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State, type Tone } from "../parts/State";
import { askTenant } from "../parts/tenant";
import type { Row } from "./data";

interface Task {
  id: string;
  kind: string;
  name: string;
  state: string;
  error: string | null;
  attempts?: number;
}

interface Delivery {
  id: string;
  webhook: string;
  event: string;
  attempt: number;
  status: "delivered" | "failed";
  response_status: number | null;
  error: string | null;
  at: string;
}

interface Execution {
  id: string;
  function: string;
  name: string;
  trigger: string;
  outcome: "ok" | "rejected" | "failed" | "timeout";
  error: string | null;
  line: number | null;
  log: string[] | null;
  milliseconds: number;
  started_at: string;
}

const OUTCOMES: Record<string, Tone> = { ok: "good", delivered: "good", rejected: "warn", failed: "bad", timeout: "bad" };

export default function WorkTab({ tenant: { slug } }: { tenant: Row }) {
  const { t, format } = useI18n();
  const list = <T,>(path: string) => ({
    queryKey: ["work", slug, path],
    refetchInterval: 5000,
    queryFn: () =>
      askTenant<T[]>(slug, path).catch((error: { status?: number }) => {
        if (error.status === 404) return [] as T[]; // the file has no such section
        throw error;
      }),
  });
  const tasks = useQuery(list<Task>("/tasks/v1?state=dead&limit=100"));
  const deliveries = useQuery(list<Delivery>("/webhook_deliveries?order=at.desc&limit=50"));
  const executions = useQuery(list<Execution>("/function_executions?order=started_at.desc&limit=50"));
  const replay = useAct((id: string) => askTenant(slug, `/tasks/v1/${id}/replay`, "POST", {}), t.work.replayed);
  return (
    <Stack gap="md">
      <Panel flush title={t.work.dead}>
        <Asked query={tasks}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={t.work.noDead} hint={t.work.noDeadHint} />
            ) : (
              <Sheet label={t.work.dead} heads={[t.work.kind, t.tenants.name, t.work.error, ""]}>
                {rows.map((task) => (
                  <Table.Tr key={task.id}>
                    <Table.Td>{task.kind}</Table.Td>
                    <Table.Td>{task.name}</Table.Td>
                    <Table.Td maw={420}>{task.error}</Table.Td>
                    <Table.Td ta="right">
                      <Button size="compact-xs" variant="default" loading={replay.isPending} onClick={() => replay.mutate(task.id)}>
                        {t.work.replay}
                      </Button>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Sheet>
            )
          }
        </Asked>
      </Panel>
      <Panel flush title={t.work.deliveries}>
        <Asked query={deliveries}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={t.work.noDeliveries} hint={t.work.noDeliveriesHint} />
            ) : (
              <Sheet label={t.work.deliveries} heads={[t.tenants.when, t.work.webhook, t.work.event, t.work.attempt, t.work.answer]}>
                {rows.map((one) => (
                  <Table.Tr key={one.id}>
                    <Table.Td>{format.moment(one.at)}</Table.Td>
                    <Table.Td>{one.webhook}</Table.Td>
                    <Table.Td>{one.event}</Table.Td>
                    <Table.Td className="numeric">{one.attempt}</Table.Td>
                    <Table.Td maw={360}>
                      <State tone={OUTCOMES[one.status] ?? "idle"}>{String(one.response_status ?? one.status)}</State>
                      <Note>{one.error}</Note>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Sheet>
            )
          }
        </Asked>
      </Panel>
      <Panel flush title={t.work.executions}>
        <Asked query={executions}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={t.work.noExecutions} />
            ) : (
              <Sheet label={t.work.executions} heads={[t.tenants.when, t.work.function, t.work.trigger, t.work.outcome, t.work.took]}>
                {rows.map((one) => (
                  <Table.Tr key={one.id}>
                    <Table.Td>{format.moment(one.started_at)}</Table.Td>
                    <Table.Td>{one.name || one.function}</Table.Td>
                    <Table.Td>{one.trigger}</Table.Td>
                    <Table.Td maw={420}>
                      <State tone={OUTCOMES[one.outcome] ?? "idle"}>{one.outcome}</State>
                      <Note>{[one.error, one.line && t.work.line(one.line), ...(one.log ?? [])].filter(Boolean).join("\n")}</Note>
                    </Table.Td>
                    <Table.Td className="numeric">{t.tenants.ms(format.number(Math.round(one.milliseconds * 10) / 10))}</Table.Td>
                  </Table.Tr>
                ))}
              </Sheet>
            )
          }
        </Asked>
      </Panel>
    </Stack>
  );
}

function Note({ children }: { children: string | null }) {
  return children ? (
    <Text size="xs" c="dimmed" style={{ whiteSpace: "pre-line" }} lineClamp={4}>
      {children}
    </Text>
  ) : null;
}
