/** Use of the month against the plan. */
import { Progress, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useI18n } from "@/lib/i18n";
import { call } from "../parts/act";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import type { Row } from "./data";

interface Usage {
  plan: string | null;
  quotas: Record<string, { used: number; limit: number; share: number }>;
}

export default function UsageTab({ tenant: { slug } }: { tenant: Row }) {
  const { t, format } = useI18n();
  const usage = useQuery({ queryKey: ["usage", slug], refetchInterval: 10_000, queryFn: () => call<Usage>("tenant_usage", { tenant: slug }) });
  const amount = (name: string, value: number) => (name === "storage" ? format.bytes(value) : format.number(value));
  return (
    <Stack gap="md">
      <Panel flush title={t.tenants.used}>
        <Asked query={usage}>
          {({ quotas }) =>
            Object.keys(quotas).length === 0 ? (
              <Text size="sm" c="dimmed" px="md" pb="md">
                {t.tenants.noQuotas}
              </Text>
            ) : (
              <Sheet label={t.tenants.used} heads={[t.tenants.quota, t.tenants.used, ""]}>
                {Object.entries(quotas).map(([name, { used, limit, share }]) => (
                  <Table.Tr key={name}>
                    <Table.Td>{name}</Table.Td>
                    <Table.Td className="numeric">
                      {amount(name, used)} / {amount(name, limit)}
                    </Table.Td>
                    <Table.Td miw={160}>
                      <Progress value={share * 100} aria-label={name} color={share >= 1 ? "red" : share >= 0.8 ? "yellow" : "accent"} />
                    </Table.Td>
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
