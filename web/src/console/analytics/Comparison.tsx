/** Tenants side by side over the span: who asks most, who fails, who is slow, who grows. */
import { Anchor, Button, Progress, Table, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconChartBar, IconDownload } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { Empty } from "@/components/Empty";
import { get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { saveCsv } from "../parts/csv";
import { Panel } from "../parts/Panel";
import sheet from "../parts/parts.module.css";
import { rangeOf, type Span } from "./ranges";
import { textOf } from "./units";

const COLUMNS = ["requests", "errors", "latency", "egress", "storage", "active_users"] as const;
type Column = (typeof COLUMNS)[number];
type Compared = { tenant: string } & Record<Column, number>;

const UNITS = { requests: "number", errors: "percent", latency: "milliseconds", egress: "bytes", storage: "bytes", active_users: "number" } as const;

interface Top {
  points: { name: string; requests: number; errors: number; egress_bytes: number; milliseconds: number }[];
}
interface Largest {
  metric: "storage_bytes" | "active_users";
  max: number;
  tenant: { slug: string };
}

export function Comparison({ span, tenants }: { span: Span; tenants: string[] }) {
  const { t, format } = useI18n();
  const words = t.analytics;
  const [order, setOrder] = useState<Column>("requests");
  const query = useQuery({ queryKey: ["comparison", span], refetchInterval: 15_000, placeholderData: keepPreviousData, queryFn: ({ signal }) => ask(span, signal) });
  const value = (column: Column, row: Compared) => {
    const unit = UNITS[column];
    if (unit === "percent") return words.percent(format.number(Math.round(row[column] * 10_000) / 100));
    return textOf(unit, format, words.milliseconds)(row[column]);
  };
  const chosen = (rows: Compared[]) =>
    rows.filter(({ tenant }) => tenants.length === 0 || tenants.includes(tenant)).sort((one, other) => other[order] - one[order] || one.tenant.localeCompare(other.tenant));
  return (
    <Panel
      flush
      title={words.compared}
      actions={
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          disabled={!query.data}
          onClick={() => saveCsv(`tenants-${span}`, ["tenant", ...COLUMNS], chosen(query.data ?? []).map((row) => [row.tenant, ...COLUMNS.map((column) => row[column])]))}
        >
          CSV
        </Button>
      }
    >
      <Asked query={query}>
        {(all) => {
          const rows = chosen(all);
          const most = Math.max(...rows.map((row) => row[order]), 0) || 1;
          if (rows.length === 0) return <Empty title={words.nothing} hint={words.nothingHint} icon={<IconChartBar size={24} />} />;
          return (
            <div className={sheet.sheet} role="region" aria-label={words.compared} tabIndex={0}>
              <Table verticalSpacing={9} horizontalSpacing="md" highlightOnHover>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>{t.tenants.slug}</Table.Th>
                    {COLUMNS.map((column) => (
                      <Table.Th key={column} ta="right" aria-sort={order === column ? "descending" : "none"}>
                        <UnstyledButton fz="inherit" fw="inherit" c={order === column ? "var(--mantine-color-text)" : "inherit"} onClick={() => setOrder(column)}>
                          {words.columns[column]}
                          {order === column && <IconArrowDown size={12} aria-hidden style={{ verticalAlign: "-2px", marginInlineStart: 4 }} />}
                        </UnstyledButton>
                      </Table.Th>
                    ))}
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {rows.map((row) => (
                    <Table.Tr key={row.tenant}>
                      <Table.Td miw={150}>
                        <Anchor component={Link} to={`/tenants/${row.tenant}`} fw={600}>
                          {row.tenant}
                        </Anchor>
                        <Progress value={(100 * row[order]) / most} size={3} mt={4} aria-hidden />
                      </Table.Td>
                      {COLUMNS.map((column) => (
                        <Table.Td key={column} className="numeric" ta="right" style={{ whiteSpace: "nowrap" }}>
                          {value(column, row)}
                        </Table.Td>
                      ))}
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
          );
        }}
      </Asked>
    </Panel>
  );
}

/** Of the hundred that ask most, and of everybody who stored something. */
async function ask(span: Span, signal: AbortSignal): Promise<Compared[]> {
  const { from, to } = rangeOf(span, Date.now());
  const [top, largest] = await Promise.all([
    get<Top>(`/metrics/top?by=tenant&limit=100&${new URLSearchParams({ from, to })}`, signal),
    get<Largest[]>(
      `/usage_records?select=metric,value.max(),tenant:tenants!inner(slug)&metric=in.(storage_bytes,active_users)&day=gte.${from.slice(0, 10)}&order=metric&limit=5000`,
      signal,
    ),
  ]);
  const found = new Map<string, Compared>();
  const of = (tenant: string) => {
    const row = found.get(tenant) ?? { tenant, requests: 0, errors: 0, latency: 0, egress: 0, storage: 0, active_users: 0 };
    found.set(tenant, row);
    return row;
  };
  for (const { name, requests, errors, egress_bytes, milliseconds } of top.points)
    Object.assign(of(name), { requests, errors: requests && errors / requests, latency: requests && milliseconds / requests, egress: egress_bytes });
  for (const { metric, max, tenant } of largest) of(tenant.slug)[metric === "storage_bytes" ? "storage" : "active_users"] = max;
  return [...found.values()];
}
