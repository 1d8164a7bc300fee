/** Rows on the days of a month; a list of days where there is no room for a grid. */
import { ActionIcon, Button, Group, Text, Title } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type CSSProperties } from "react";
import { Link } from "react-router";
import { Trouble } from "@/components/Trouble";
import { seriesColor } from "@/components/charts/colors";
import type { ViewProperties } from "@/features/data/viewTypes";
import { get, here } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { startOf, step, today } from "@/lib/figures/periods";
import { useI18n } from "@/lib/i18n";
import { labelOf, type Row } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { CalendarView as Calendar, Entity } from "@/lib/schema/types";
import { valueTitle } from "@/lib/schema/words";
import classes from "./CalendarView.module.css";

const MOST = 500;
const SHOWN = 4;
const EVERY = 15_000;

function useMonth(entity: Entity, calendar: Calendar, from: string, until: string) {
  const { start, end, label, color_by } = calendar;
  const select = [...new Set([entity.key, start, end, label, color_by, entity.label])].filter(Boolean).join(",");
  const within = end
    ? `or=(and(${start}.lt.${until},${end}.gte.${from}),and(${start}.gte.${from},${start}.lt.${until},${end}.is.null))`
    : `and=(${start}.gte.${from},${start}.lt.${until})`;
  const query = `select=${select}&${within}&order=${start},${entity.key}&limit=${MOST}${calendar.filter ? `&${calendar.filter}` : ""}`;
  return useQuery({
    queryKey: ["rows", entity.name, "calendar", query],
    queryFn: ({ signal }) => get<Row[]>(`/${entity.name}?${query}`, signal),
    refetchInterval: EVERY,
    placeholderData: keepPreviousData,
  });
}

export default function CalendarView({ entity, view }: ViewProperties) {
  const { t, language } = useI18n();
  const calendar = view as Calendar;
  const now = today(useSchema().timezone);
  const [month, setMonth] = useState(startOf(now, "month"));
  const from = startOf(month, "week");
  const weeks = Math.ceil((Date.parse(step(month, "month", 1)) - Date.parse(from)) / 604_800_000);
  const days = Array.from({ length: weeks * 7 }, (_, at) => step(from, "day", at));
  const { data, error, refetch } = useMonth(entity, calendar, from, step(from, "day", weeks * 7));
  const field = calendar.color_by ? entity.fields[calendar.color_by] : undefined;
  const choices = (field?.schema.enum ?? []).map(String);
  const color = (row: Row) => {
    const value = String(row[calendar.color_by ?? ""] ?? "");
    return entity.workflow?.states[value]?.color || seriesColor(Math.max(0, choices.indexOf(value)));
  };
  const on = (day: string) =>
    (data ?? []).filter((row) => {
      const start = String(row[calendar.start]).slice(0, 10);
      const end = calendar.end && row[calendar.end] ? String(row[calendar.end]).slice(0, 10) : start;
      return start <= day && day <= end;
    });
  const written = (day: string, how: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language, { ...how, timeZone: "UTC" }).format(new Date(day));
  const name = (row: Row) => String((calendar.label && row[calendar.label]) || labelOf(row, entity));

  return (
    <div className={classes.page}>
      <Group justify="space-between">
        <Title order={2}>{written(month, { month: "long", year: "numeric" })}</Title>
        <Group gap={4}>
          <ActionIcon variant="default" size={32} aria-label={t.flow.previous} onClick={() => setMonth(step(month, "month", -1))}>
            <IconChevronLeft size={16} />
          </ActionIcon>
          <Button size="xs" h={32} variant="default" onClick={() => setMonth(startOf(now, "month"))}>
            {t.flow.today}
          </Button>
          <ActionIcon variant="default" size={32} aria-label={t.flow.next} onClick={() => setMonth(step(month, "month", 1))}>
            <IconChevronRight size={16} />
          </ActionIcon>
        </Group>
      </Group>
      {choices.length > 0 && (
        <Group gap="md">
          {choices.map((value) => (
            <Group key={value} gap={6}>
              <span className={classes.dot} style={{ background: color({ [calendar.color_by!]: value }) }} aria-hidden />
              <Text size="xs">{valueTitle(field, value, language)}</Text>
            </Group>
          ))}
        </Group>
      )}
      {error && data === undefined && <Trouble problem={asProblem(error)} onRetry={() => void refetch()} />}
      {data?.length === MOST && (
        <Text size="sm" c="dimmed">
          {t.flow.tooMany(MOST)}
        </Text>
      )}
      <div className={classes.names} aria-hidden>
        {days.slice(0, 7).map((day) => (
          <span key={day}>{written(day, { weekday: "short" })}</span>
        ))}
      </div>
      <ol className={classes.grid}>
        {days.map((day) => {
          const rows = on(day);
          return (
            <li key={day} className={classes.day} data-other={!day.startsWith(month.slice(0, 7)) || undefined} data-today={day === now || undefined} data-empty={rows.length === 0 || undefined}>
              <time dateTime={day} className={classes.date}>
                <span className={classes.long}>{written(day, { weekday: "short", day: "numeric", month: "short" })}</span>
                <span className={classes.short}>{Number(day.slice(8))}</span>
              </time>
              {rows.slice(0, SHOWN).map((row) => (
                <Link key={String(row[entity.key])} to={here(`/data/${entity.name}/${encodeURIComponent(String(row[entity.key]))}`)} className={classes.entry} style={{ "--entry": color(row) } as CSSProperties} title={name(row)}>
                  {name(row)}
                </Link>
              ))}
              {rows.length > SHOWN && <span className={classes.more}>{t.flow.further(rows.length - SHOWN)}</span>}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
