/** What waits for a person, the worst first; each line leads to where it is mended. */
import { Anchor, Button, Table } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "react-router";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { useQuotas } from "../billing/data";
import { flat, useRuntime } from "../monitoring/data";
import { Restart } from "../monitoring/Restart";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import { call } from "../parts/act";
import { useTroubled } from "../tenants/data";
import { WaitingNote } from "../tenants/TenantsPage";
import { scarce } from "./scarce";

interface Dead {
  tenant: string;
  tasks: number;
  deliveries: number;
}

export function Attention() {
  const { t, format } = useI18n();
  const words = t.monitoring;
  const troubled = useTroubled();
  const runtime = useRuntime();
  const quotas = useQuotas(true);
  const dead = useQuery({ queryKey: ["dead-tasks"], refetchInterval: 5000, queryFn: () => call<Dead[]>("dead_tasks") });
  const [again, setAgain] = useState<string | null>(null);
  const names = t.billing.quotas as Record<string, string>;

  const parked = runtime.data ? flat(runtime.data.actors).filter(({ actor }) => actor.state === "parked") : [];
  const lines = [
    ...(troubled.data?.rows ?? []).map((row) => (
      <Line key={row.slug} to={`/tenants/${row.slug}${row.waiting ? "/schema" : ""}`} name={row.slug}>
        <WaitingNote row={row} />
      </Line>
    )),
    ...parked.map(({ actor }) => (
      <Line
        key={`parked ${actor.name}`}
        to="/monitoring"
        name={words.parked(actor.name)}
        act={
          troubled.data?.slugs.has(actor.name) && (
            <Button size="compact-xs" variant="default" aria-label={words.restartOf(actor.name)} onClick={() => setAgain(actor.name)}>
              {words.restart}
            </Button>
          )
        }
      >
        {actor.last_error}
      </Line>
    )),
    ...(dead.data ?? []).flatMap(({ tenant, tasks, deliveries }) => [
      tasks > 0 && (
        <Line key={`tasks ${tenant}`} to={`/tenants/${tenant}/work`} name={tenant}>
          <State tone="bad">{words.tasksGaveUp(tasks, format.number(tasks))}</State>
        </Line>
      ),
      deliveries > 0 && (
        <Line key={`deliveries ${tenant}`} to={`/tenants/${tenant}/webhooks`} name={tenant}>
          <State tone="bad">{words.deliveriesGaveUp(deliveries, format.number(deliveries))}</State>
        </Line>
      ),
    ]),
    ...scarce(quotas.data ?? []).map(({ tenant, name, share }) => (
      <Line key={`quota ${tenant} ${name}`} to={`/tenants/${tenant}/billing`} name={tenant}>
        <State tone={share >= 1 ? "bad" : "warn"}>{words.quotaUsed(names[name] ?? name, format.number(Math.floor(share * 100)))}</State>
      </Line>
    )),
  ].filter(Boolean);

  // "nothing" is said only when everything was asked
  const asked: UseQueryResult<unknown>[] = [troubled, runtime, dead, quotas];
  const open = asked.find(({ data }) => data === undefined);
  return (
    <Panel flush title={words.attention}>
      {lines.length > 0 && (
        <Sheet label={words.attention} heads={[t.tenants.slug, t.tenants.lastError, ""]}>
          {lines}
        </Sheet>
      )}
      {open && <Asked query={open}>{() => null}</Asked>}
      {!open && lines.length === 0 && <Empty title={words.fine} hint={words.fineHint} icon={<IconCircleCheck size={24} />} />}
      {again !== null && <Restart slug={again} onClose={() => setAgain(null)} />}
    </Panel>
  );
}

function Line({ to, name, act, children }: { to: string; name: string; act?: ReactNode; children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} to={to} fw={600}>
          {name}
        </Anchor>
      </Table.Td>
      <Table.Td colSpan={act ? undefined : 2}>{children}</Table.Td>
      {act && <Table.Td ta="right">{act}</Table.Td>}
    </Table.Tr>
  );
}
