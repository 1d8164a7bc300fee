/** What a tenant does by the clock and after commits: jobs with their runs, tasks that wait, run, or gave up. */
import { Button, Group, Modal, SegmentedControl, Stack, Table, Text, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Block } from "../functions/Outcome";
import { useAct } from "../parts/act";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import { askTenant } from "../parts/tenant";
import type { Row } from "../tenants/data";
import { Jobs } from "./Jobs";
import { STATES, useJobs, useTasks, type Task, type TaskState } from "./data";

export default function WorkTab({ tenant: { slug } }: { tenant: Row }) {
  const { t } = useI18n();
  const [state, setState] = useState<TaskState>("dead");
  const jobs = useJobs(slug);
  const tasks = useTasks(slug, state);
  const replayAll = useAct(() => askTenant(slug, "/tasks/v1/replay", "POST", {}), t.work.replayed);
  return (
    <Stack gap="md">
      <Panel flush title={t.hooks.jobs}>
        <Asked query={jobs}>{(found) => (found.length === 0 ? <Empty title={t.hooks.noJobs} hint={t.hooks.noJobsHint} /> : <Jobs slug={slug} of={found} />)}</Asked>
      </Panel>
      <Panel
        flush
        title={t.hooks.tasks}
        actions={
          <>
            {state === "dead" && (tasks.data?.length ?? 0) > 1 && (
              <Button size="xs" variant="default" loading={replayAll.isPending} onClick={() => replayAll.mutate(undefined)}>
                {t.hooks.replayAll}
              </Button>
            )}
            <SegmentedControl
              size="xs"
              aria-label={t.tenants.state}
              value={state}
              onChange={(next) => setState(next as TaskState)}
              data={(Object.keys(STATES) as TaskState[]).map((value) => ({ value, label: t.hooks.states[value] }))}
            />
          </>
        }
      >
        <Asked query={tasks}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={state === "dead" ? t.work.noDead : t.hooks.noTasks} hint={state === "dead" ? t.work.noDeadHint : t.hooks.noTasksHint} />
            ) : (
              <Tasks slug={slug} rows={rows} />
            )
          }
        </Asked>
      </Panel>
    </Stack>
  );
}

function Tasks({ slug, rows }: { slug: string; rows: Task[] }) {
  const { t, format } = useI18n();
  const [shown, show] = useState<Task | null>(null);
  const replay = useAct((id: string) => askTenant(slug, `/tasks/v1/${id}/replay`, "POST", {}), t.work.replayed);
  const forget = useAct((id: string) => askTenant(slug, `/tasks/v1/${id}`, "DELETE"), t.hooks.forgotten);
  return (
    <>
      <Sheet label={t.hooks.tasks} heads={[t.tenants.name, t.work.kind, t.hooks.due, t.work.attempt, t.work.error, ""]}>
        {rows.map((task) => (
          <Table.Tr key={task.id}>
            <Table.Td>
              <UnstyledButton fz="sm" fw={600} onClick={() => show(task)}>
                {task.name}
              </UnstyledButton>
            </Table.Td>
            <Table.Td>{task.kind}</Table.Td>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{format.ago(task.run_at)}</Table.Td>
            <Table.Td className="numeric">{task.attempts}</Table.Td>
            <Table.Td maw={360}>
              <Text size="xs" c="dimmed" lineClamp={2}>
                {task.error}
              </Text>
            </Table.Td>
            <Table.Td ta="right">
              <Group gap={6} justify="flex-end" wrap="nowrap">
                {task.state === "dead" && (
                  <Button size="compact-xs" variant="default" loading={replay.isPending} onClick={() => replay.mutate(task.id)}>
                    {t.work.replay}
                  </Button>
                )}
                {task.state !== "running" && (
                  <Button size="compact-xs" variant="default" loading={forget.isPending} onClick={() => forget.mutate(task.id)}>
                    {task.state === "ready" ? t.common.cancel : t.hooks.forget}
                  </Button>
                )}
              </Group>
            </Table.Td>
          </Table.Tr>
        ))}
      </Sheet>
      <Modal opened={shown !== null} onClose={() => show(null)} size="lg" title={shown?.name}>
        {shown && <Carried slug={slug} task={shown} />}
      </Modal>
    </>
  );
}

function Carried({ slug, task }: { slug: string; task: Task }) {
  const { t } = useI18n();
  const query = useQuery({ queryKey: ["task", slug, task.id], queryFn: () => askTenant<{ payload: unknown }>(slug, `/tasks/v1/${task.id}`) });
  return (
    <Stack gap="md">
      <State tone={STATES[task.state]}>{t.hooks.states[task.state]}</State>
      {task.error && <Block title={t.work.error} text={task.error} />}
      <Asked query={query}>{({ payload }) => <Block title={t.hooks.carries} text={JSON.stringify(payload, null, 2)} />}</Asked>
    </Stack>
  );
}
