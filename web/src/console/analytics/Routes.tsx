/** What is asked for most, and what was answered; of one tenant or of all. */
import { Table } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Empty } from "@/components/Empty";
import { get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { rangeOf, type Span } from "./ranges";

interface Top {
  points: { name: string; requests: number; errors: number; milliseconds: number }[];
}

export function Routes({ by, span, tenant }: { by: "route" | "status"; span: Span; tenant: string }) {
  const { t, format } = useI18n();
  const words = t.analytics;
  const query = useQuery({
    queryKey: ["top", by, span, tenant],
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => {
      const { from, to } = rangeOf(span, Date.now());
      return get<Top>(`/metrics/top?${new URLSearchParams({ by, from, to, limit: "10", ...(tenant && { tenant }) })}`, signal);
    },
  });
  return (
    <Panel flush title={words.top[by]}>
      <Asked query={query}>
        {({ points }) =>
          points.length === 0 ? (
            <Empty title={words.nothing} />
          ) : (
            <Sheet label={words.top[by]} heads={[words.top[by], `> ${words.columns.requests}`, `> ${words.values.errors}`, `> ${words.columns.latency}`]}>
              {points.map(({ name, requests, errors, milliseconds }) => (
                <Table.Tr key={name}>
                  <Table.Td ff={by === "route" ? "monospace" : undefined} style={{ overflowWrap: "anywhere" }}>
                    {name}
                  </Table.Td>
                  <Table.Td className="numeric" ta="right">{format.number(requests)}</Table.Td>
                  <Table.Td className="numeric" ta="right">{format.number(errors)}</Table.Td>
                  <Table.Td className="numeric" ta="right" style={{ whiteSpace: "nowrap" }}>
                    {words.milliseconds(format.number(requests ? Math.round((10 * milliseconds) / requests) / 10 : 0))}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Sheet>
          )
        }
      </Asked>
    </Panel>
  );
}
