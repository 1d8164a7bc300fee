/** What a change of plan charges: what comes back, what is new, and when it is billed. */
import { Alert, Table, Text } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import { Sheet } from "../parts/Sheet";
import type { Preview } from "./data";

export function PreviewLines({ preview: { lines, subtotal, currency, tax_rate, trial_end, period_end } }: { preview: Preview }) {
  const { t, format } = useI18n();
  const words = t.billing;
  if (lines.length === 0)
    return (
      <Alert color="gray" variant="light">
        {trial_end ? words.freeUntil(format.day(trial_end)) : words.costsNothing(format.day(period_end))}
      </Alert>
    );
  const now = lines.some((line) => line.invoiced);
  const tax = Number(tax_rate);
  return (
    <div>
      <Sheet label={words.preview} heads={[words.preview, `> ${words.amount}`]}>
        {lines.map((line, at) => (
          <Table.Tr key={at}>
            <Table.Td>{line.description}</Table.Td>
            <Table.Td className="numeric" ta="right" style={{ whiteSpace: "nowrap" }}>
              {format.money(Number(line.amount), currency)}
            </Table.Td>
          </Table.Tr>
        ))}
        <Table.Tr>
          <Table.Td fw={600}>{tax > 0 ? words.sumBeforeTax(format.number(Math.round(tax * 10_000) / 100)) : words.total}</Table.Td>
          <Table.Td className="numeric" ta="right" fw={600} style={{ whiteSpace: "nowrap" }}>
            {format.money(Number(subtotal), currency)}
          </Table.Td>
        </Table.Tr>
      </Sheet>
      <Text size="sm" c="dimmed" mt="xs" px="md">
        {now ? words.billedNow : words.billedLater(format.day(period_end))}
      </Text>
    </div>
  );
}
