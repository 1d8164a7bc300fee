/** How long each saved file took to be in force, and which phase took it. */
import { Anchor, Table } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { Link } from "react-router";
import { seriesColor } from "@/components/charts/colors";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { useReloads, type Reload } from "./data";
import classes from "./monitoring.module.css";

export default function ReloadsTab() {
  const { t, format } = useI18n();
  const words = t.monitoring;
  const query = useReloads();
  const ms = (value: number) => words.milliseconds(format.number(Math.round(value * 10) / 10));
  return (
    <Panel flush>
      <Asked query={query}>
        {(reloads) => {
          if (reloads.length === 0) return <Empty title={words.noReloads} hint={words.noReloadsHint} icon={<IconRefresh size={24} />} />;
          const phases = [...new Set(reloads.flatMap(({ phases_ms }) => Object.keys(phases_ms)))];
          return (
            <Sheet label={words.tabs.reloads} heads={[t.tenants.when, t.tenants.slug, `> ${t.tenants.version}`, `> ${words.took}`, words.phases]}>
              {reloads.map((reload) => (
                <Table.Tr key={`${reload.tenant} ${reload.at}`}>
                  <Table.Td style={{ whiteSpace: "nowrap", verticalAlign: "top" }}>{format.ago(reload.at)}</Table.Td>
                  <Table.Td style={{ verticalAlign: "top" }}>
                    <Anchor component={Link} to={`/tenants/${reload.tenant}/schema`} fw={600}>
                      {reload.tenant}
                    </Anchor>
                  </Table.Td>
                  <Table.Td className="numeric" ta="right" style={{ verticalAlign: "top" }}>{format.number(reload.version)}</Table.Td>
                  <Table.Td className="numeric" ta="right" style={{ whiteSpace: "nowrap", verticalAlign: "top" }}>{ms(reload.total_ms)}</Table.Td>
                  <Table.Td miw={300}>
                    <Phases reload={reload} phases={phases} text={ms} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Sheet>
          );
        }}
      </Asked>
    </Panel>
  );
}

function Phases({ reload: { phases_ms }, phases, text }: { reload: Reload; phases: string[]; text: (value: number) => string }) {
  const words = useI18n().t.monitoring;
  const shown = phases.map((name, at) => ({ name, ms: phases_ms[name] ?? 0, color: seriesColor(at) })).filter(({ ms }) => ms > 0);
  return (
    <>
      <div className={classes.phases} aria-hidden>
        {shown.map(({ name, ms, color }) => (
          <span key={name} style={{ flexGrow: ms, background: color }} />
        ))}
      </div>
      <div className={classes.key}>
        {shown.map(({ name, ms, color }) => (
          <span key={name}>
            <span className={classes.swatch} style={{ background: color }} aria-hidden />
            {words.phaseNames[name] ?? name} {text(ms)}
          </span>
        ))}
      </div>
    </>
  );
}
