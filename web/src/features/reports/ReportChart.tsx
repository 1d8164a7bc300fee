/** A report's figures drawn: by its groups, or by its parts when it has some; the smaller ones together. */
import { Group, Paper, SegmentedControl, Text } from "@mantine/core";
import { useState } from "react";
import { Chart } from "@/components/charts";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { columnTitle, isDay, isNumeric, valueText, type Made, type ReportColumn, type Row } from "./report";
import classes from "./Report.module.css";

/** Bars and shares one still tells apart. */
const MOST = 10;
const ADDED = new Set(["count", "sum"]);

/** The figures that can be drawn; none when there is nothing to compare. */
export function drawable(made: Made): ReportColumn[] {
  const groups = made.columns.filter(({ aggregate }) => !aggregate);
  return groups.length === 0 || made.rows.length < 2 ? [] : made.columns.filter((column) => column.aggregate && isNumeric(column));
}

export function ReportChart({ made, title }: { made: Made; title: string }) {
  const { t, language, format } = useI18n();
  const schema = useSchema();
  const [chosen, setChosen] = useState("");
  const [drawn, setDrawn] = useState("");
  const entity = schema.entities[made.entity]!;
  const figures = drawable(made);
  const figure = figures.find(({ name }) => name === chosen) ?? figures[0]!;
  const group = made.columns.find(({ aggregate }) => !aggregate)!;
  const time = isDay(group);
  const kinds = time ? (["line", "area", "bar"] as const) : ADDED.has(figure.aggregate!) ? (["bar", "pie"] as const) : (["bar"] as const);
  const kind = kinds.find((each) => each === drawn) ?? kinds[0];
  const titleOf = (column: ReportColumn) => columnTitle(schema, entity, column, t.figures, language);
  const rows = made.subtotals.length > 0 ? made.subtotals : made.rows;
  const value = (row: Row) => Number(row[figure.name] ?? 0);
  const label = (row: Row) => valueText(schema, entity, group, row[group.name], format, language, t.figures.without);
  const points = time
    ? rows.map((row) => ({ by: String(row[group.name] ?? ""), label: label(row), value: value(row) })).sort((a, b) => (a.by < b.by ? -1 : 1))
    : largest(rows.map((row) => ({ label: label(row), value: value(row) })), ADDED.has(figure.aggregate!), t.reports.others);

  return (
    <Paper component="section" aria-label={t.reports.chart} withBorder radius="lg" p="md" className={classes.paper}>
      <Group justify="space-between" mb="sm" gap="xs">
        {figures.length > 1 ? (
          <SegmentedControl size="xs" aria-label={t.reports.figure} value={figure.name} onChange={setChosen} data={figures.map((column) => ({ value: column.name, label: titleOf(column) }))} />
        ) : (
          <Text component="h2" size="sm" fw={600}>
            {titleOf(figure)}
          </Text>
        )}
        {kinds.length > 1 && <SegmentedControl size="xs" aria-label={t.reports.chart} value={kind} onChange={setDrawn} data={kinds.map((each) => ({ value: each, label: t.reports.kinds[each] }))} />}
      </Group>
      <Chart
        type={kind}
        title={title}
        valueTitle={titleOf(figure)}
        time={time}
        points={points}
        text={(number) => valueText(schema, entity, figure, number, format, language, "")}
        short={format.short}
      />
    </Paper>
  );
}

interface Point {
  label: string;
  value: number;
}

function largest(points: Point[], added: boolean, others: string): Point[] {
  const sorted = [...points].sort((a, b) => b.value - a.value);
  if (sorted.length <= MOST) return sorted;
  const rest = sorted.slice(MOST - 1);
  return added ? [...sorted.slice(0, MOST - 1), { label: others, value: rest.reduce((sum, { value }) => sum + value, 0) }] : sorted.slice(0, MOST);
}
