/** What needs attention first, then the installation in figures and what happened lately; live. */
import { Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { useRecurring } from "../billing/revenue";
import { Asked } from "../parts/Asked";
import { Figure, Figures } from "../parts/Figure";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { useTenantCount } from "../tenants/data";
import { Attention } from "./Attention";

interface Event {
  id: string;
  type: string;
  slug: string | null;
  who: string | null;
  created_at: string;
}

export default function OverviewPage() {
  const { t, format } = useI18n();
  const words = t.monitoring;
  const tenants = useTenantCount();
  const traffic = useQuery({
    queryKey: ["traffic"],
    refetchInterval: 10_000,
    queryFn: async ({ signal }) => {
      const top = await get<{ points: { requests: number; errors: number }[] }>("/metrics/top?by=tenant", signal);
      const latency = await get<{ points: { p95: number }[] }>("/metrics/latency", signal);
      const storage = await get<{ points: { value: number }[] }>("/metrics/storage", signal);
      const sum = (name: "requests" | "errors") => top.points.reduce((all, point) => all + point[name], 0);
      return { requests: sum("requests"), errors: sum("errors"), p95: latency.points.at(-1)?.p95, storage: storage.points.at(-1)?.value };
    },
  });
  const events = useQuery({
    queryKey: ["events"],
    refetchInterval: 4000,
    queryFn: ({ signal }) => get<Event[]>("/events?select=id,type,slug,who,created_at&order=created_at.desc&limit=12", signal),
  });
  const recurring = useRecurring();
  return (
    <Page title={t.shell.overview}>
      <Attention />
      <Figures>
        <Figure label={words.tenants} value={tenants.data === undefined ? "–" : format.number(tenants.data)} />
        <Figure label={words.requests} value={traffic.data ? format.number(traffic.data.requests) : "–"} />
        <Figure label={words.errors} value={traffic.data ? format.number(traffic.data.errors) : "–"} />
        <Figure
          label={words.latency}
          value={traffic.data?.p95 === undefined ? "–" : words.milliseconds(format.number(Math.round(traffic.data.p95)))}
        />
        <Figure label={words.storage} value={traffic.data?.storage === undefined ? "–" : format.bytes(traffic.data.storage)} />
        <Figure
          label={words.revenue}
          value={recurring ? recurring.sums.map(([currency, sum]) => format.money(sum, currency)).join(" · ") || "–" : "–"}
        />
      </Figures>
      <Panel flush title={words.lately}>
        <Asked query={events}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={t.tenants.nothingHappened} />
            ) : (
              <Sheet label={words.lately} heads={[t.tenants.when, t.tenants.what, t.tenants.slug, t.tenants.who]}>
                {rows.map((event) => (
                  <Table.Tr key={event.id}>
                    <Table.Td style={{ whiteSpace: "nowrap" }}>{format.ago(event.created_at)}</Table.Td>
                    <Table.Td>{event.type}</Table.Td>
                    <Table.Td>{event.slug ?? "–"}</Table.Td>
                    <Table.Td>{event.who ?? "–"}</Table.Td>
                  </Table.Tr>
                ))}
              </Sheet>
            )
          }
        </Asked>
      </Panel>
    </Page>
  );
}
