/** One tenant's plan, what waits for its next invoice, its use against the plan, and its invoices. */
import { Button, Group, Stack, Table, Text } from "@mantine/core";
import { IconCreditCard } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Empty } from "@/components/Empty";
import { get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { call, useAct } from "../parts/act";
import { Asked } from "../parts/Asked";
import { Facts } from "../parts/Facts";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import type { Row } from "../tenants/data";
import { useSubscriptions, type Quota, type Subscription } from "./data";
import { InvoiceList } from "./InvoiceList";
import { PlanButtons } from "./PlanButtons";
import { QuotaBars } from "./QuotaBars";
import { Standing } from "./Standing";

export default function BillingTab({ tenant: { slug } }: { tenant: Row }) {
  const { t } = useI18n();
  const words = t.billing;
  const query = useSubscriptions(slug);
  return (
    <Stack gap="md">
      <Asked query={query}>
        {([subscription]) =>
          subscription ? (
            <>
              <OnPlan slug={slug} subscription={subscription} />
              <Waiting slug={slug} />
            </>
          ) : (
            <Panel>
              <Empty title={words.noPlan} hint={words.noPlanHint} icon={<IconCreditCard size={24} />}>
                <PlanButtons slug={slug} subscription={undefined} />
              </Empty>
            </Panel>
          )
        }
      </Asked>
      <Panel flush title={words.tabs.invoices}>
        <InvoiceList filter={`slug=eq.${slug}`} tenants={false} />
      </Panel>
    </Stack>
  );
}

function OnPlan({ slug, subscription }: { slug: string; subscription: Subscription }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const usage = useQuery({
    queryKey: ["usage", slug],
    refetchInterval: 10_000,
    queryFn: () => call<{ quotas: Record<string, Quota> }>("tenant_usage", { tenant: slug }),
  });
  const { plan } = subscription;
  return (
    <Panel title={plan.title} actions={<PlanButtons slug={slug} subscription={subscription} size="xs" />}>
      <Stack gap="lg">
        <Facts
          of={[
            [words.state, <Standing key="standing" subscription={subscription} />],
            [words.perMonth, format.money(plan.price, plan.currency)],
            [words.period, words.from(format.day(subscription.period_start), format.day(subscription.period_end))],
            [words.renews, subscription.cancel_at_end ? words.endsOn(format.day(subscription.period_end)) : format.day(subscription.period_end)],
            [words.customer, [subscription.customer_name, subscription.customer_email].filter(Boolean).join(", ")],
            [words.collectedBy, subscription.provider],
          ]}
        />
        {usage.data && Object.keys(usage.data.quotas).length > 0 && <QuotaBars quotas={usage.data.quotas} />}
      </Stack>
    </Panel>
  );
}

interface WaitingLine {
  id: string;
  description: string;
  amount: number;
  currency: string;
}

/** Lines that no invoice has yet; nothing is shown while there are none. */
function Waiting({ slug }: { slug: string }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const { data: lines = [] } = useQuery({
    queryKey: ["waiting", slug],
    refetchInterval: 5000,
    queryFn: ({ signal }) =>
      get<WaitingLine[]>(
        `/invoice_lines?select=id,description,amount,currency,tenant:tenants!inner(slug)&tenant.slug=eq.${slug}&invoice_id=is.null&order=created_at,id`,
        signal,
      ),
  });
  const issue = useAct(() => call("issue_invoice", { tenant: slug }), words.issued);
  if (lines.length === 0) return null;
  return (
    <Panel
      flush
      title={words.waiting}
      actions={
        <Button size="xs" loading={issue.isPending} onClick={() => issue.mutate(undefined)}>
          {words.issue}
        </Button>
      }
    >
      <Sheet label={words.waiting} heads={[words.description, `> ${words.amount}`]}>
        {lines.map((line) => (
          <Table.Tr key={line.id}>
            <Table.Td>{line.description}</Table.Td>
            <Table.Td className="numeric" ta="right">{format.money(line.amount, line.currency)}</Table.Td>
          </Table.Tr>
        ))}
      </Sheet>
      <Group px="md" py="sm">
        <Text size="xs" c="dimmed">
          {words.waitingHint}
        </Text>
      </Group>
    </Panel>
  );
}
