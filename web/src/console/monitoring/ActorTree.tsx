/** Every actor below its supervisor: state, what waits and runs, failures; tenants can be started anew. */
import { ActionIcon, Group, Progress, Table, Text, Tooltip } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import { Sheet } from "../parts/Sheet";
import { State, type Tone } from "../parts/State";
import { flat, type Actor } from "./data";
import { Restart } from "./Restart";

const TONES: Record<string, Tone> = { running: "good", starting: "info", cold: "idle", restarting: "warn", stopping: "warn", parked: "bad", stopped: "bad" };
const OF_TENANTS = "directory";
/** The platform itself stays. */
const SYSTEM = "system";
/** Waiting messages that fill the bar: what a tenant's mailbox holds. */
const FULL = 64;

export function ActorTree({ root }: { root: Actor }) {
  const { t, format } = useI18n();
  const words = t.monitoring;
  const [again, setAgain] = useState<string | null>(null);
  return (
    <>
      <Sheet
        label={words.actors}
        heads={[words.actor, t.tenants.state, words.mailbox, `> ${words.inFlight}`, `> ${words.processed}`, `> ${words.restarts}`, words.lastError, ""]}
      >
        {flat(root).map(({ actor, depth, parent }, at) => (
          <Table.Tr key={`${actor.name} ${at}`}>
            <Table.Td style={{ paddingInlineStart: 16 + depth * 20, whiteSpace: "nowrap" }}>{actor.name}</Table.Td>
            <Table.Td>
              <State tone={TONES[actor.state] ?? "warn"}>{words.states[actor.state] ?? actor.state}</State>
              {actor.retry_after !== null && (
                <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>
                  {words.retry(format.number(Math.round(actor.retry_after)))}
                </Text>
              )}
            </Table.Td>
            <Table.Td className="numeric" miw={90}>
              <Group gap={8} wrap="nowrap">
                <span style={{ minWidth: "1.5em", textAlign: "right" }}>{format.number(actor.mailbox)}</span>
                <Progress flex={1} size={5} value={Math.min(100, (100 * actor.mailbox) / FULL)} color={actor.mailbox > FULL / 2 ? "red" : "accent"} aria-hidden />
              </Group>
            </Table.Td>
            <Table.Td className="numeric" ta="right">{format.number(actor.in_flight)}</Table.Td>
            <Table.Td className="numeric" ta="right">{format.number(actor.processed)}</Table.Td>
            <Table.Td className="numeric" ta="right">{format.number(actor.restarts)}</Table.Td>
            <Table.Td miw={actor.last_error ? 240 : undefined}>{actor.last_error}</Table.Td>
            <Table.Td w={44}>
              {parent === OF_TENANTS && actor.name !== SYSTEM && (
                <Tooltip label={words.restart}>
                  <ActionIcon aria-label={words.restartOf(actor.name)} onClick={() => setAgain(actor.name)}>
                    <IconRefresh size={16} aria-hidden />
                  </ActionIcon>
                </Tooltip>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Sheet>
      {again !== null && <Restart slug={again} onClose={() => setAgain(null)} />}
    </>
  );
}
