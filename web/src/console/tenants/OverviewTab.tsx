/** What serves, what waits, how it runs. */
import { Alert, Anchor, List, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Facts } from "../parts/Facts";
import { Figure, Figures } from "../parts/Figure";
import { Panel } from "../parts/Panel";
import { State } from "../parts/State";
import { planOf, STATES, useFileStatus, type Row } from "./data";

interface Series {
  points: Record<string, number>[];
}

export default function OverviewTab({ tenant }: { tenant: Row }) {
  const { t, format } = useI18n();
  const status = useFileStatus(tenant.slug);
  const series = (name: string) => get<Series>(`/metrics/${name}?tenant=${tenant.slug}`).then(({ points }) => points);
  const figures = useQuery({
    queryKey: ["figures", tenant.slug],
    refetchInterval: 10_000,
    queryFn: async () => {
      const [requests, storage, rows] = await Promise.all([series("requests"), series("storage"), series("rows")]);
      const last = (points: Record<string, number>[], name: string) => points.at(-1)?.[name];
      return {
        requests: requests.reduce((sum, point) => sum + (point["requests"] ?? 0), 0),
        storage: last(storage, "storage_bytes") ?? last(storage, "bytes") ?? last(storage, "storage"),
        rows: last(rows, "rows"),
      };
    },
  });
  return (
    <Stack gap="md">
      <Asked query={status}>
        {({ rejection, pending, last_reload, reason, state, version }) => (
          <Stack gap="md">
            {(rejection || pending || state === "failed" || state === "paused") && (
              <Alert color={pending ? "yellow" : "red"} variant="light" icon={<IconAlertTriangle />} title={t.tenants.attention}>
                <List size="sm" spacing={4}>
                  {reason && <List.Item>{reason}</List.Item>}
                  {pending?.summary.map((line) => <List.Item key={line}>{line}</List.Item>)}
                  {rejection?.diagnostics.map((finding) => (
                    <List.Item key={`${finding.line}:${finding.column}:${finding.code}`}>
                      {finding.file}:{finding.line}:{finding.column} {finding.message}
                    </List.Item>
                  ))}
                </List>
              </Alert>
            )}
            <Figures>
              <Figure label={t.tenants.state} value={<State tone={STATES[state]}>{t.tenants.serving[state]}</State>} />
              <Figure label={t.tenants.version} value={version} />
              <Figure label={t.tenants.requests24} value={figures.data ? format.number(figures.data.requests) : "–"} />
              <Figure label={t.tenants.storage} value={figures.data?.storage === undefined ? "–" : format.bytes(figures.data.storage)} />
              <Figure label={t.tenants.rows} value={figures.data?.rows === undefined ? "–" : format.number(figures.data.rows)} />
            </Figures>
            <Panel>
              <Facts
                of={[
                  [t.tenants.slug, tenant.slug],
                  [t.tenants.plan, planOf(tenant) || t.tenants.noPlan],
                  [t.tenants.template, tenant.template],
                  [t.tenants.ownerEmail, tenant.owner_email],
                  [t.tenants.domain, tenant.domain && <Anchor href={`https://${tenant.domain}`}>{tenant.domain}</Anchor>],
                  [t.tenants.createdAt, format.moment(tenant.created_at)],
                  [
                    t.tenants.lastReload,
                    last_reload &&
                      t.tenants.reloadOf(last_reload.version, format.number(Math.round(last_reload.total_ms)), format.ago(last_reload.at)),
                  ],
                ]}
              />
            </Panel>
          </Stack>
        )}
      </Asked>
      {tenant.status_reason && <Text size="sm">{tenant.status_reason}</Text>}
    </Stack>
  );
}
