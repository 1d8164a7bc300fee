/** The widgets of a dashboard: rows that fill the page, each tile as wide as the file says. */
import { Paper, Text } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import type { Dashboard, Widget } from "@/lib/schema/types";
import { useMe } from "@/lib/session/session";
import { ChartTile } from "./ChartTile";
import { MetricTile } from "./MetricTile";
import { RowsTile } from "./RowsTile";
import classes from "./Tiles.module.css";
import { isCount, widgetTitle } from "./widgets";

export function Tiles({ dashboard }: { dashboard: Dashboard }) {
  const { t } = useI18n();
  const me = useMe();
  // figures need the right to sum up; a mere number of rows needs none
  const mine = (widget: Widget) =>
    widget.type === "table" || widget.type === "list" || (widget.type === "metric" && isCount(widget)) || me.can[widget.entity]?.read.aggregate === true;
  const shown = dashboard.widgets.filter(mine);
  if (shown.length === 0) return <Empty title={t.figures.noDashboard} hint={t.figures.noDashboardHint} icon={<IconChartBar size={24} />} />;
  return (
    <div className={classes.page}>
      {strips(shown).map((strip, at) => (
        <div key={at} className={classes.tiles}>
          {strip.map((widget, place) => (
            <Tile key={place} widget={widget} />
          ))}
        </div>
      ))}
    </div>
  );
}

/** Numbers that follow each other stand in rows of their own: they are lower than charts. */
function strips(widgets: Widget[]): Widget[][] {
  const found: Widget[][] = [];
  for (const widget of widgets) {
    const last = found.at(-1);
    if (last && (last[0]!.type === "metric") === (widget.type === "metric")) last.push(widget);
    else found.push([widget]);
  }
  return found;
}

export function Tile({ widget }: { widget: Widget }) {
  const { t, language, say } = useI18n();
  const title = widgetTitle(useSchema(), widget, t.figures, language, say);
  const small = widget.type === "metric";
  const Inside = small ? MetricTile : widget.type === "table" || widget.type === "list" ? RowsTile : ChartTile;
  return (
    <Paper component="section" aria-label={title} withBorder radius="lg" p="md" className={classes.tile} data-small={small || undefined} style={{ "--width": widget.width }}>
      <Text component="h2" size="sm" fw={600} mb="xs" c={small ? "dimmed" : undefined}>
        {title}
      </Text>
      <Inside widget={widget} title={title} />
    </Paper>
  );
}
