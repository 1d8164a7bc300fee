/** The workflow of one row: who agreed, where it has been, and the whole of it as a picture. */
import { Paper, SegmentedControl, Skeleton, Stack, Text, Timeline } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import type { Entity } from "@/lib/schema/types";
import { titleOf, valueTitle } from "@/lib/schema/words";
import { useNames, useStanding } from "./transitions";

const Diagram = lazy(() => import("./Diagram"));

export function RowWorkflow({ entity, id, version }: { entity: Entity; id: string; version: unknown }) {
  const { t, language, format } = useI18n();
  const [shown, show] = useState("history");
  const { data, error, refetch } = useStanding(entity, id, version);
  const nameOf = useNames([...(data?.history ?? []).map((step) => step.user_id), ...(data?.approvals ?? []).map((one) => one.user_id)]);
  if (data === undefined) return error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={160} />;
  const workflow = entity.workflow!;
  const state = (name: string) => valueTitle(entity.fields[workflow.field], name, language);
  const who = (user: string | null) => (user === null ? t.flow.system : (nameOf(user) ?? t.flow.someone));
  const steps = [
    ...data.approvals.map((one) => ({
      ...one,
      title: `${titleOf(workflow.transitions[one.transition]?.title, one.transition, language)}: ${t.flow.waiting(
        data.approvals.filter(({ transition }) => transition === one.transition).length,
        workflow.transitions[one.transition]?.quorum ?? 1,
      )}`,
    })),
    ...data.history.map((step) => ({ ...step, title: t.flow.moved(state(step.from_state), state(step.to_state)) })),
  ].sort((a, b) => b.at.localeCompare(a.at));
  return (
    <Stack w="100%" align="flex-start">
      <SegmentedControl
        size="xs"
        value={shown}
        onChange={show}
        data={[
          { value: "history", label: t.flow.history },
          { value: "diagram", label: t.flow.diagram },
        ]}
      />
      {shown === "diagram" ? (
        <Paper withBorder radius="lg" w="100%" bd="1px solid var(--line)">
          <Suspense fallback={<Skeleton h={320} />}>
            <Diagram entity={entity} state={data.state} />
          </Suspense>
        </Paper>
      ) : steps.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t.flow.noHistory}
        </Text>
      ) : (
        <Timeline active={steps.length} bulletSize={14} lineWidth={2}>
          {steps.map((step, at) => (
            <Timeline.Item key={at} title={step.title}>
              {step.comment && <Text size="sm">{step.comment}</Text>}
              <Text size="xs" c="dimmed">
                {who(step.user_id)} · <time dateTime={step.at}>{format.moment(step.at)}</time>
              </Text>
            </Timeline.Item>
          ))}
        </Timeline>
      )}
    </Stack>
  );
}
