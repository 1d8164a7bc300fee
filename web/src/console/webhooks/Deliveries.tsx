/** Attempts to deliver, newest first; one opens to what was sent and answered, and is sent again from there. */
import { Button, Drawer, Group, Stack, Table, Text, UnstyledButton } from "@mantine/core";
import { IconRepeat } from "@tabler/icons-react";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Block } from "../functions/Outcome";
import { useAct } from "../parts/act";
import { Facts } from "../parts/Facts";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import { askTenant } from "../parts/tenant";
import { DELIVERED, useDeliveries, type Delivery } from "./data";

export function Deliveries({ slug, rows }: { slug: string; rows: Delivery[] }) {
  const { t, format } = useI18n();
  const [shown, show] = useState<Delivery | null>(null);
  if (rows.length === 0) return <Empty title={t.work.noDeliveries} hint={t.work.noDeliveriesHint} />;
  return (
    <>
      <Sheet label={t.work.deliveries} heads={[t.tenants.when, t.work.webhook, t.work.event, t.work.attempt, t.work.answer, t.work.took]}>
        {rows.map((one) => (
          <Table.Tr key={one.id}>
            <Table.Td style={{ whiteSpace: "nowrap" }}>{format.moment(one.at)}</Table.Td>
            <Table.Td>{one.webhook}</Table.Td>
            <Table.Td>
              <UnstyledButton fz="sm" fw={600} onClick={() => show(one)}>
                {one.event}
              </UnstyledButton>
            </Table.Td>
            <Table.Td className="numeric">{one.attempt}</Table.Td>
            <Table.Td maw={360}>
              <State tone={DELIVERED[one.status]}>{String(one.response_status ?? t.hooks.status[one.status])}</State>
              {one.error && (
                <Text size="xs" c="dimmed" lineClamp={1}>
                  {one.error}
                </Text>
              )}
            </Table.Td>
            <Table.Td className="numeric" style={{ whiteSpace: "nowrap" }}>
              {t.tenants.ms(format.number(Math.round(one.milliseconds)))}
            </Table.Td>
          </Table.Tr>
        ))}
      </Sheet>
      <Drawer opened={shown !== null} onClose={() => show(null)} position="right" size="lg" title={shown?.event} transitionProps={{ duration: 120 }}>
        {shown && <Shown key={shown.id} slug={slug} delivery={shown} />}
      </Drawer>
    </>
  );
}

function Shown({ slug, delivery }: { slug: string; delivery: Delivery }) {
  const { t, format } = useI18n();
  const attempts = useDeliveries(slug, `&message=eq.${encodeURIComponent(delivery.message)}`);
  const again = useAct(() => askTenant(slug, `/webhooks/v1/deliveries/${delivery.id}/replay`, "POST", {}), t.hooks.sentAgain);
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <State tone={DELIVERED[delivery.status]}>{t.hooks.status[delivery.status]}</State>
        <Button size="xs" leftSection={<IconRepeat size={16} aria-hidden />} loading={again.isPending} onClick={() => again.mutate(undefined)}>
          {t.hooks.again}
        </Button>
      </Group>
      <Facts
        of={[
          [t.work.webhook, delivery.webhook],
          [t.tenants.when, format.moment(delivery.at)],
          [t.hooks.message, delivery.message],
        ]}
      />
      <Exchange title={t.hooks.request(delivery.url)} headers={delivery.request_headers} body={delivery.request_body} />
      {delivery.response_status === null ? (
        <Block title={t.hooks.noAnswer} text={delivery.error ?? ""} />
      ) : (
        <Exchange title={t.hooks.response(delivery.response_status)} headers={delivery.response_headers} body={delivery.response_body} />
      )}
      <div>
        <Text size="xs" c="dimmed" fw={600} mb={4}>
          {t.hooks.attempts}
        </Text>
        <Stack gap={4}>
          {attempts.data?.map((one) => (
            <Group key={one.id} gap="sm">
              <Text size="sm" className="numeric">
                {format.moment(one.at)}
              </Text>
              <State tone={DELIVERED[one.status]}>{String(one.response_status ?? t.hooks.status[one.status])}</State>
              {one.error && (
                <Text size="xs" c="dimmed">
                  {one.error}
                </Text>
              )}
            </Group>
          ))}
        </Stack>
      </div>
    </Stack>
  );
}

function Exchange({ title, headers, body }: { title: string; headers: Record<string, string> | null; body: string | null }) {
  const lines = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  return <Block title={title} text={[lines.join("\n"), pretty(body ?? "")].filter(Boolean).join("\n\n")} />;
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
