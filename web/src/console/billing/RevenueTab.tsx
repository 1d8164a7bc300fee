/** What comes in: what recurs, what is open and overdue, and the last year month by month. */
import { Button, SegmentedControl, Stack } from "@mantine/core";
import { IconChartBar, IconReceipt2 } from "@tabler/icons-react";
import { useState } from "react";
import { Lines } from "@/components/charts";
import { SERIES } from "@/components/charts/colors";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { call, useAct } from "../parts/act";
import { Asked } from "../parts/Asked";
import { Figure, Figures } from "../parts/Figure";
import { Panel } from "../parts/Panel";
import { momentLabel } from "../parts/series";
import { useOwed, useRecurring, useRevenue, type Owed } from "./revenue";

export default function RevenueTab() {
  const { t, format, language } = useI18n();
  const words = t.billing;
  const query = useRevenue();
  const recurring = useRecurring();
  const open = useOwed(false);
  const late = useOwed(true);
  const [chosen, choose] = useState("");
  const bill = useAct(
    () => call<{ invoices: string[]; failed: string[] }>("run_billing"),
    ({ invoices, failed }) => words.billed(invoices.length, failed.length),
  );
  const sums = (rows: [string, number][] | undefined) => (rows ? rows.map(([currency, sum]) => format.money(sum, currency)).join(" · ") || "0" : "–");
  const owed = (rows: Owed[] | undefined) => sums(rows?.map(({ currency, sum }) => [currency, sum]));
  const count = (rows: Owed[] | undefined) => words.invoices((rows ?? []).reduce((all, row) => all + row.count, 0));
  return (
    <Stack gap="md">
      <Figures>
        <Figure label={words.mrr} value={sums(recurring?.sums)} hint={recurring && words.paying(recurring.paying, recurring.trials)} />
        <Figure label={words.openSum} value={owed(open.data)} hint={open.data && count(open.data)} />
        <Figure label={words.overdueSum} value={owed(late.data)} hint={late.data && count(late.data)} />
      </Figures>
      <Asked query={query}>
        {(currencies) => {
          const [currency, months] = currencies.find(([name]) => name === chosen) ?? currencies[0] ?? ["", []];
          return (
            <Panel
              title={words.revenue}
              actions={
                <>
                  {currencies.length > 1 && (
                    <SegmentedControl size="xs" aria-label={words.currency} value={currency} onChange={choose} data={currencies.map(([name]) => name)} />
                  )}
                  <Button size="xs" variant="default" leftSection={<IconReceipt2 size={16} aria-hidden />} loading={bill.isPending} onClick={() => bill.mutate(undefined)}>
                    {words.bill}
                  </Button>
                </>
              }
            >
              {currency === "" ? (
                <Empty title={words.noRevenue} hint={words.noRevenueHint} icon={<IconChartBar size={24} />} />
              ) : (
                <Lines
                  title={`${words.revenue}, ${currency}`}
                  height={280}
                  series={[
                    { name: "invoiced", label: words.invoiced, as: "bar" },
                    { name: "paid", label: words.paid, as: "bar", color: SERIES[4]! },
                    { name: "recurring", label: words.recurring, color: SERIES[1]! },
                  ]}
                  points={months.map(({ at, ...values }) => ({ label: momentLabel(at, "month", language), values }))}
                  text={(value) => format.money(value, currency)}
                  short={format.short}
                />
              )}
            </Panel>
          );
        }}
      </Asked>
    </Stack>
  );
}
