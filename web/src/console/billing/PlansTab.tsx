/** The plans of `config/plans.yaml`, and how one edits them: the file is the one place where that is done. */
import { Alert, Badge, Code, Group, Stack, Text, Title } from "@mantine/core";
import { IconFileText, IconTag } from "@tabler/icons-react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { QUOTAS, usePlans, useSubscriptions, type Plan } from "./data";
import classes from "./billing.module.css";

const FILE = "config/plans.yaml";

export default function PlansTab() {
  const words = useI18n().t.billing;
  const query = usePlans();
  const subscriptions = useSubscriptions();
  return (
    <Stack gap="md">
      <Alert color="gray" variant="light" icon={<IconFileText size={20} />} title={words.editTitle}>
        <Stack gap="xs">
          <Text size="sm">{words.editHint(FILE)}</Text>
          <Code block>{EXAMPLE}</Code>
        </Stack>
      </Alert>
      <Asked query={query}>
        {(plans) =>
          plans.length === 0 ? (
            <Empty title={words.noPlans} icon={<IconTag size={24} />} />
          ) : (
            <div className={classes.plans}>
              {plans.map((plan) => (
                <OnePlan key={plan.name} plan={plan} used={(subscriptions.data ?? []).filter((one) => one.plan.name === plan.name).length} />
              ))}
            </div>
          )
        }
      </Asked>
    </Stack>
  );
}

const EXAMPLE = `plans:
  team:
    title: Team
    price: 29.00
    trial_days: 14
    quotas: { requests: 1000000, rows: 500000, storage: 5GB }
    overage:
      requests: { per: 1000, price: 0.02 }`;

function OnePlan({ plan, used }: { plan: Plan; used: number }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const limit = (name: string, value: number) => (name === "storage" ? format.bytes(value) : format.number(value));
  const beyond = (name: string) => {
    const terms = plan.overage?.[name];
    return terms && words.overage(format.money(Number(terms.price), plan.currency), limit(name, terms.per));
  };
  return (
    <Panel>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} size="h3">{plan.title}</Title>
          {plan.retired ? <Badge variant="default">{words.retired}</Badge> : <Text size="xs" c="dimmed">{words.tenants(used)}</Text>}
        </Group>
        <div>
          <span className={`${classes.price} numeric`}>{format.money(plan.price, plan.currency)}</span>{" "}
          <Text span size="sm" c="dimmed">
            {words.aMonth}
          </Text>
          <Text size="xs" c="dimmed">
            {[plan.trial_days > 0 && words.trial(plan.trial_days), plan.description].filter(Boolean).join(" · ") || "\u00a0"}
          </Text>
        </div>
        <dl className={classes.limits}>
          {QUOTAS.map((name) => (
            <div key={name} style={{ display: "contents" }}>
              <dt>{words.quotas[name]}</dt>
              <dd className="numeric">
                {plan[`max_${name}`] === null ? words.unlimited : limit(name, plan[`max_${name}`]!)}
                {beyond(name) && (
                  <Text size="xs" c="dimmed">
                    {beyond(name)}
                  </Text>
                )}
              </dd>
            </div>
          ))}
        </dl>
      </Stack>
    </Panel>
  );
}
