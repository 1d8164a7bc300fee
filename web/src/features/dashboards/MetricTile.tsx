/** One number, and how it compares with the period before. */
import { Group, Skeleton, Text } from "@mantine/core";
import { IconArrowDownRight, IconArrowRight, IconArrowUpRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { ask } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { startOf, step, today, type Period } from "@/lib/figures/periods";
import { fieldAt } from "@/lib/figures/query";
import { and, fetchSeries, isTime } from "@/lib/figures/series";
import { figureText } from "@/lib/figures/words";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import type { Entity, Schema, Widget } from "@/lib/schema/types";
import { useMe } from "@/lib/session/session";
import { TileTrouble } from "./TileTrouble";
import classes from "./Tiles.module.css";
import { EVERY, isCount } from "./widgets";

interface Compared {
  value: number;
  before: number | null;
}

/** The day rows are compared by: the widget's own, else the first one people enter, else when they were made. */
function timeOf(schema: Schema, entity: Entity, widget: Widget): string | undefined {
  if (widget.by && isTime(fieldAt(schema, entity, widget.by)?.kind)) return widget.by;
  const times = Object.values(entity.fields).filter((field) => isTime(field.kind));
  return (times.find((field) => field.kind === "date" && field.writable) ?? times.find((field) => field.name === "created_at"))?.name;
}

async function fetchMetric(schema: Schema, widget: Widget, sums: boolean, signal: AbortSignal): Promise<Compared> {
  const entity = schema.entities[widget.entity]!;
  const period = widget.compare?.replace("previous_", "") as Period | undefined;
  const time = period && timeOf(schema, entity, widget);
  const one = async (more: string) => {
    const filter = [widget.filter, more].filter(Boolean).join("&");
    if (!sums && isCount(widget)) {
      const { headers } = await ask(`/${entity.name}?select=${entity.key}&limit=1${and(filter)}`, { headers: { Prefer: "count=exact" }, signal });
      return Number(headers.get("Content-Range")?.split("/")[1] ?? 0);
    }
    const points = await fetchSeries(schema, { ...widget, filter, by: null }, signal);
    return Number(points[0]?.value ?? 0);
  };
  if (!period || !time) return { value: await one(""), before: null };
  const start = startOf(today(schema.timezone), period);
  const within = (from: string) => `and=(${time}.gte.${from},${time}.lt.${step(from, period, 1)})`;
  const [value, before] = await Promise.all([one(within(start)), one(within(step(start, period, -1)))]);
  return { value, before };
}

export function MetricTile({ widget }: { widget: Widget; title: string }) {
  const { t, format } = useI18n();
  const schema = useSchema();
  const sums = useMe().can[widget.entity]?.read.aggregate === true;
  const { data, error, refetch } = useQuery({
    queryKey: ["figures", schema.version, widget],
    queryFn: ({ signal }) => fetchMetric(schema, widget, sums, signal),
    refetchInterval: EVERY,
  });
  if (data === undefined) return error ? <TileTrouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={56} />;
  const entity = schema.entities[widget.entity]!;
  const text = (value: number) => figureText(schema, entity, widget.value, value, format);
  const period = widget.compare?.replace("previous_", "") as Period | undefined;
  return (
    <>
      <div className={classes.value}>{text(data.value)}</div>
      {period && data.before !== null && (
        <Text size="xs" c="dimmed" component="div">
          <Change value={data.value} before={data.before} text={text} period={period} now={t.figures.now[period]} />
        </Text>
      )}
    </>
  );
}

function Change({ value, before, text, period, now }: { value: number; before: number; text: (value: number) => string; period: Period; now: string }) {
  const { t, format } = useI18n();
  const words = t.figures;
  const share = before === 0 ? 0 : (value - before) / Math.abs(before);
  const percent = `${format.number(Math.round(Math.abs(share) * 100))} %`;
  const Icon = share > 0 ? IconArrowUpRight : share < 0 ? IconArrowDownRight : IconArrowRight;
  const told =
    before === 0 ? words.nothingBefore(words.before[period]) : share === 0 ? words.same(words.before[period], text(before)) : words[share > 0 ? "more" : "less"](percent, words.before[period], text(before));
  return (
    <Group gap={4} mt={4} wrap="nowrap" align="flex-start">
      {before !== 0 && <Icon size={16} aria-hidden style={{ flex: "none" }} />}
      <span>{`${now}: ${told}`}</span>
    </Group>
  );
}
