/** The rows of a report: parts with their figures, the total, and the way from a group to the rows behind it. */
import { Anchor, Paper, Table } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMemo } from "react";
import { useNavigate } from "react-router";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { addressOfRows, conditionsOf, leadsToRows } from "./behind";
import { columnTitle, isNumeric, valueText, type Made, type ReportColumn, type Row } from "./report";
import classes from "./Report.module.css";

interface Part {
  /** Figures of its rows; undefined where the report has no parts. */
  head: Row | undefined;
  rows: Row[];
}

export function ReportTable({ made, title, stale }: { made: Made; title: string; stale: boolean }) {
  const { t, language, format } = useI18n();
  const schema = useSchema();
  const navigate = useNavigate();
  const entity = schema.entities[made.entity]!;
  const groups = made.columns.filter(({ aggregate }) => !aggregate);
  const figures = made.columns.filter(({ aggregate }) => aggregate);
  const parts = useMemo(() => partsOf(made, groups[0]), [made, groups]);
  const grouped = parts[0]?.head !== undefined;
  // the first column stands in the parts' own lines
  const shown = grouped ? [...groups.slice(1), ...figures] : made.columns;
  const conditions = useMemo(() => conditionsOf(entity, made.filter), [entity, made.filter]);
  const text = (column: ReportColumn, row: Row) => valueText(schema, entity, column, row[column.name], format, language, t.figures.without);
  const titleOf = (column: ReportColumn) => columnTitle(schema, entity, column, t.figures, language);
  const largest = figures[0] && isNumeric(figures[0]) ? Math.max(0, ...made.rows.map((row) => Number(row[figures[0]!.name] ?? 0))) : 0;

  const named = (column: ReportColumn, row: Row, of: ReportColumn[]) => {
    const told = text(column, row);
    if (figures.length === 0 || !leadsToRows(schema, entity, of, conditions)) return told;
    const follow = async () => {
      const to = await addressOfRows(schema, entity, made, of, row);
      if (to) await navigate(to);
      else notifications.show({ message: t.reports.tooMany });
    };
    return (
      <Anchor component="button" type="button" size="sm" className={classes.link} title={t.reports.behind(told)} onClick={() => void follow()}>
        {told}
      </Anchor>
    );
  };
  const cell = (column: ReportColumn, row: Row, first: boolean) => {
    const share = column === figures[0] && largest > 0 && made.rows.length > 1 ? Math.max(0, Number(row[column.name] ?? 0)) / largest : 0;
    return (
      <Table.Td key={column.name} className={isNumeric(column) ? (share > 0 ? `${classes.figure} ${classes.share}` : classes.figure) : undefined} style={share > 0 ? { "--share": share.toFixed(3) } : {}}>
        <span>{first ? named(column, row, groups) : text(column, row)}</span>
      </Table.Td>
    );
  };

  return (
    <Paper withBorder radius="lg" className={classes.table} data-stale={stale || undefined} aria-busy={stale}>
      <Table.ScrollContainer minWidth={shown.length * 120} scrollAreaProps={{ viewportProps: { tabIndex: 0, "aria-label": title } }}>
        <Table verticalSpacing={8} horizontalSpacing="md" highlightOnHover={!grouped}>
          <Table.Thead>
            <Table.Tr>
              {shown.map((column, at) => (
                <Table.Th key={column.name} scope="col" className={isNumeric(column) ? classes.figure : undefined}>
                  {grouped && at === 0 ? `${titleOf(groups[0]!)} / ${titleOf(column)}` : titleOf(column)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          {parts.map(({ head, rows }, place) => (
            <Table.Tbody key={place}>
              {head && (
                <Table.Tr className={classes.part}>
                  <Table.Th scope="rowgroup" colSpan={groups.length - 1}>
                    {named(groups[0]!, head, groups.slice(0, 1))}
                  </Table.Th>
                  {figures.map((column) => (
                    <Table.Td key={column.name} className={isNumeric(column) ? classes.figure : undefined}>
                      {text(column, head)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              )}
              {rows.map((row, at) => (
                <Table.Tr key={at} className={head ? classes.inner : undefined}>
                  {shown.map((column, number) => cell(column, row, number === 0 && !column.aggregate))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          ))}
          {made.total && (
            <Table.Tfoot>
              <Table.Tr className={classes.total}>
                <Table.Th scope="row" colSpan={shown.length - figures.length}>
                  {t.reports.total}
                </Table.Th>
                {figures.map((column) => (
                  <Table.Td key={column.name} className={isNumeric(column) ? classes.figure : undefined}>
                    {text(column, made.total!)}
                  </Table.Td>
                ))}
              </Table.Tr>
            </Table.Tfoot>
          )}
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}

/** Rows by their first group, in the order in which it appears; all as one where there are no parts. */
function partsOf(made: Made, first: ReportColumn | undefined): Part[] {
  if (made.subtotals.length === 0 || first === undefined) return [{ head: undefined, rows: made.rows }];
  const heads = new Map(made.subtotals.map((part) => [part[first.name] ?? null, part]));
  const found = new Map<Row[string], Part>();
  for (const row of made.rows) {
    const value = row[first.name] ?? null;
    const part = found.get(value) ?? { head: heads.get(value) ?? row, rows: [] };
    part.rows.push(row);
    found.set(value, part);
  }
  return [...found.values()];
}

