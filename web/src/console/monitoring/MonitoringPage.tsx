/** The running process: event loop, connections, and the tree of actors, live. */
import { Table } from "@mantine/core";
import { Page } from "@/components/Page";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Figure, Figures } from "../parts/Figure";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import { flat, useRuntime } from "./data";

export default function MonitoringPage() {
  const { t, format } = useI18n();
  const words = t.monitoring;
  const query = useRuntime();
  return (
    <Page title={t.console.monitoring}>
      <Asked query={query}>
        {({ uptime, loop, connections, slow_statements, actors }) => (
          <>
            <Figures>
              <Figure label={words.uptime} value={format.ago(new Date(query.dataUpdatedAt - uptime * 1000).toISOString())} />
              <Figure label={words.lag} value={words.milliseconds(format.number(loop.lag_ms.p99))} />
              <Figure label={words.stalls} value={format.number(loop.stalls)} />
              <Figure
                label={words.connections}
                value={`${format.number(connections.open)} / ${format.number(connections.limit)}`}
                hint={connections.waiting > 0 && words.waiting(format.number(connections.waiting))}
              />
              <Figure label={words.slow} value={format.number(slow_statements)} />
            </Figures>
            <Panel flush title={words.actors}>
              <Sheet
                label={words.actors}
                heads={[words.actor, t.tenants.state, words.mailbox, words.inFlight, words.processed, words.restarts, words.lastError]}
              >
                {flat(actors).map(({ actor, depth }, at) => (
                  <Table.Tr key={`${actor.name} ${at}`}>
                    <Table.Td style={{ paddingInlineStart: 16 + depth * 20, whiteSpace: "nowrap" }}>{actor.name}</Table.Td>
                    <Table.Td>
                      <State tone={actor.state === "running" ? "good" : "warn"}>{actor.state}</State>
                    </Table.Td>
                    <Table.Td className="numeric">{format.number(actor.mailbox)}</Table.Td>
                    <Table.Td className="numeric">{format.number(actor.in_flight)}</Table.Td>
                    <Table.Td className="numeric">{format.number(actor.processed)}</Table.Td>
                    <Table.Td className="numeric">{format.number(actor.restarts)}</Table.Td>
                    <Table.Td maw={320}>{actor.last_error}</Table.Td>
                  </Table.Tr>
                ))}
              </Sheet>
            </Panel>
          </>
        )}
      </Asked>
    </Page>
  );
}
