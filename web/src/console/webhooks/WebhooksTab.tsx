/** A tenant's webhooks: where they go, how the last attempt went, what waits; and every delivery. */
import { Badge, Group, Select, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import type { Row } from "../tenants/data";
import { DELIVERED, useDeliveries, useWebhooks, type Webhook } from "./data";
import { Deliveries } from "./Deliveries";

export default function WebhooksTab({ tenant: { slug } }: { tenant: Row }) {
  const { t } = useI18n();
  const [of, setOf] = useState("");
  const [status, setStatus] = useState("");
  const webhooks = useWebhooks(slug);
  const filter = `${of && `&webhook=eq.${encodeURIComponent(of)}`}${status && `&status=eq.${status}`}`;
  const deliveries = useDeliveries(slug, filter);
  return (
    <Stack gap="md">
      <Panel flush title={t.hooks.title}>
        <Asked query={webhooks}>{(found) => (found.length === 0 ? <Empty title={t.hooks.none} hint={t.hooks.noneHint} /> : <Hooks of={found} />)}</Asked>
      </Panel>
      <Panel
        flush
        title={t.work.deliveries}
        actions={
          <>
            <Select
              size="xs"
              w={150}
              aria-label={t.work.webhook}
              value={of}
              allowDeselect={false}
              onChange={(next) => setOf(next ?? "")}
              data={[{ value: "", label: t.hooks.every }, ...(webhooks.data ?? []).map(({ name }) => ({ value: name, label: name }))]}
            />
            <Select
              size="xs"
              w={150}
              aria-label={t.tenants.state}
              value={status}
              allowDeselect={false}
              onChange={(next) => setStatus(next ?? "")}
              data={[{ value: "", label: t.hooks.all }, ...(["delivered", "failed"] as const).map((value) => ({ value, label: t.hooks.status[value] }))]}
            />
          </>
        }
      >
        <Asked query={deliveries}>{(rows) => <Deliveries slug={slug} rows={rows} />}</Asked>
      </Panel>
    </Stack>
  );
}

function Hooks({ of }: { of: Webhook[] }) {
  const { t, format } = useI18n();
  return (
    <Sheet label={t.hooks.title} heads={[t.work.webhook, t.work.event, t.hooks.last, t.hooks.waiting, t.hooks.dead]}>
      {of.map((hook) => (
        <Table.Tr key={hook.name}>
          <Table.Td>
            <Group gap={6} wrap="nowrap">
              <Text size="sm" fw={600}>
                {hook.name}
              </Text>
              {!hook.enabled && (
                <Badge variant="default" radius="sm" tt="none" fw={500}>
                  {t.hooks.off}
                </Badge>
              )}
            </Group>
            <Text size="xs" c="dimmed" maw={360} truncate>
              {hook.url}
            </Text>
          </Table.Td>
          <Table.Td>
            <Group gap={4}>
              {hook.events.map((event) => (
                <Badge key={event} flex="none" variant="default" radius="sm" tt="none" fw={500}>
                  {event}
                </Badge>
              ))}
            </Group>
          </Table.Td>
          <Table.Td style={{ whiteSpace: "nowrap" }}>
            {hook.last ? (
              <>
                <State tone={DELIVERED[hook.last.status]}>{String(hook.last.response_status ?? t.hooks.status[hook.last.status])}</State>
                <Text size="xs" c="dimmed">
                  {format.ago(hook.last.at)}
                </Text>
              </>
            ) : (
              t.tenants.never
            )}
          </Table.Td>
          <Table.Td className="numeric">{format.number(hook.waiting)}</Table.Td>
          <Table.Td className="numeric">{hook.dead ? <State tone="bad">{format.number(hook.dead)}</State> : format.number(0)}</Table.Td>
        </Table.Tr>
      ))}
    </Sheet>
  );
}
