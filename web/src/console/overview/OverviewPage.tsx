/** What needs attention first, then the installation in figures and what happened lately; live. */
import { Anchor, Button, Table } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { useRecurring } from "../billing/revenue";
import { flat, useRuntime } from "../monitoring/data";
import { Restart } from "../monitoring/Restart";
import { Asked } from "../parts/Asked";
import { Figure, Figures } from "../parts/Figure";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { useTenants } from "../tenants/data";
import { WaitingNote } from "../tenants/TenantsPage";

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
  const tenants = useTenants();
  const runtime = useRuntime();
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
  const [again, setAgain] = useState<string | null>(null);
  const parked = runtime.data ? flat(runtime.data.actors).filter(({ actor }) => actor.state === "parked") : [];
  return (
    <Page title={t.shell.overview}>
      <Panel flush title={words.attention}>
        <Asked query={tenants}>
          {(rows) => {
            const waiting = rows.filter((row) => row.waiting ?? row.status !== "active");
            if (waiting.length + parked.length === 0)
              return <Empty title={words.fine} hint={words.fineHint} icon={<IconCircleCheck size={24} />} />;
            return (
              <Sheet label={words.attention} heads={[t.tenants.slug, t.tenants.lastError, ""]}>
                {waiting.map((row) => (
                  <Table.Tr key={row.id}>
                    <Table.Td>
                      <Anchor component={Link} to={`/tenants/${row.slug}${row.waiting ? "/schema" : ""}`} fw={600}>
                        {row.slug}
                      </Anchor>
                    </Table.Td>
                    <Table.Td colSpan={2}>
                      <WaitingNote row={row} />
                    </Table.Td>
                  </Table.Tr>
                ))}
                {parked.map(({ actor }) => (
                  <Table.Tr key={actor.name}>
                    <Table.Td>
                      <Anchor component={Link} to="/monitoring" fw={600}>
                        {words.parked(actor.name)}
                      </Anchor>
                    </Table.Td>
                    <Table.Td>{actor.last_error}</Table.Td>
                    <Table.Td ta="right">
                      {tenants.data?.some(({ slug }) => slug === actor.name) && (
                        <Button size="compact-xs" variant="default" aria-label={words.restartOf(actor.name)} onClick={() => setAgain(actor.name)}>
                          {words.restart}
                        </Button>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Sheet>
            );
          }}
        </Asked>
      </Panel>
      <Figures>
        <Figure label={words.tenants} value={tenants.data ? format.number(tenants.data.length) : "–"} />
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
      {again !== null && <Restart slug={again} onClose={() => setAgain(null)} />}
    </Page>
  );
}
