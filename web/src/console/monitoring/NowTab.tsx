/** The process now: event loop, connections, and the tree of actors. */
import { Stack } from "@mantine/core";
import { Lines } from "@/components/charts";
import { SERIES } from "@/components/charts/colors";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Figure, Figures } from "../parts/Figure";
import { Panel } from "../parts/Panel";
import { ActorTree } from "./ActorTree";
import { useLag, useRuntime } from "./data";

export default function NowTab() {
  const { t, format, language } = useI18n();
  const words = t.monitoring;
  const query = useRuntime();
  const lag = useLag();
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
  const ms = (value: number) => words.milliseconds(format.number(Math.round(value * 10) / 10));
  return (
    <Asked query={query}>
      {({ uptime, loop, connections, slow_statements, actors, version, postgresql }) => (
        <Stack gap="md">
          <Figures>
            <Figure
              label={words.uptime}
              value={format.ago(new Date(query.dataUpdatedAt - uptime * 1000).toISOString())}
              hint={`${version} · PostgreSQL ${postgresql}`}
            />
            <Figure label={words.lag} value={words.milliseconds(format.number(loop.lag_ms.p99))} />
            <Figure label={words.stalls} value={format.number(loop.stalls)} hint={loop.stalls > 0 && words.lastStall(ms(loop.last_stall_ms))} />
            <Figure
              label={words.connections}
              value={`${format.number(connections.open)} / ${format.number(connections.limit)}`}
              hint={connections.waiting > 0 && words.waiting(format.number(connections.waiting))}
            />
            <Figure label={words.slow} value={format.number(slow_statements)} />
          </Figures>
          <Panel title={words.lagChart}>
            <Asked query={lag}>
              {(points) => (
                <Lines
                  title={words.lagChart}
                  height={170}
                  series={[
                    { name: "max", label: words.largest, as: "area", color: SERIES[1]! },
                    { name: "mean", label: words.mean, color: SERIES[0]! },
                  ]}
                  points={points.map(({ at, mean_ms, max_ms }) => ({ label: clock.format(new Date(at)), values: { max: max_ms, mean: mean_ms } }))}
                  text={ms}
                  short={format.short}
                />
              )}
            </Asked>
          </Panel>
          <Panel flush title={words.actors}>
            <ActorTree root={actors} />
          </Panel>
        </Stack>
      )}
    </Asked>
  );
}
