/** Jobs of a tenant's file: when each runs next, how it went last, and a button to run it now. */
import { Badge, Button, Table, Text } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import { useAct } from "../parts/act";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import { askTenant } from "../parts/tenant";
import { STATES, type Job } from "./data";

export function Jobs({ slug, of }: { slug: string; of: Job[] }) {
  const { t, format } = useI18n();
  const run = useAct((name: string) => askTenant(slug, `/jobs/v1/${encodeURIComponent(name)}/run`, "POST", {}), t.hooks.started);
  return (
    <Sheet label={t.hooks.jobs} heads={[t.tenants.name, t.hooks.schedule, t.hooks.next, t.hooks.lastRun, ""]}>
      {of.map((job) => (
        <Table.Tr key={job.name}>
          <Table.Td>
            <Text size="sm" fw={600}>
              {job.name}
            </Text>
            <Text size="xs" c="dimmed">
              {job.function}
            </Text>
          </Table.Td>
          <Table.Td>
            <Text size="xs" ff="monospace">
              {job.schedule ?? (job.every === null ? "" : t.hooks.every_(job.every))}
            </Text>
            {job.zone && (
              <Text size="xs" c="dimmed">
                {job.zone}
              </Text>
            )}
          </Table.Td>
          <Table.Td style={{ whiteSpace: "nowrap" }}>
            {!job.enabled ? (
              <Badge variant="default" radius="sm" tt="none" fw={500}>
                {t.hooks.off}
              </Badge>
            ) : (
              job.next_at && <time title={job.next_at}>{format.ago(job.next_at)}</time>
            )}
          </Table.Td>
          <Table.Td maw={320}>
            {job.last ? (
              <>
                <State tone={STATES[job.last.state]}>{t.hooks.states[job.last.state]}</State>
                <Text size="xs" c="dimmed" lineClamp={2}>
                  {[format.ago(job.last.finished_at ?? job.last.created_at), job.last.error].filter(Boolean).join(" · ")}
                </Text>
              </>
            ) : (
              t.tenants.never
            )}
          </Table.Td>
          <Table.Td ta="right">
            <Button size="compact-xs" variant="default" loading={run.isPending} onClick={() => run.mutate(job.name)} aria-label={t.hooks.runOf(job.name)}>
              {t.hooks.runNow}
            </Button>
          </Table.Td>
        </Table.Tr>
      ))}
    </Sheet>
  );
}
