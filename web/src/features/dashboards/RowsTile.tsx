/** Some rows of an entity, each the way to its page. */
import { Anchor, Skeleton, Stack, Table } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";
import { Value } from "@/components/values/Value";
import { get, here } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { and } from "@/lib/figures/series";
import { useI18n } from "@/lib/i18n";
import { columnOf, columnTitle, defaultColumns, orderOf, selectOf, valueOf, type Column, type Row } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { Schema, Widget } from "@/lib/schema/types";
import { TileEmpty, TileTrouble } from "./TileTrouble";
import classes from "./Tiles.module.css";
import { EVERY } from "./widgets";

function columnsOf(schema: Schema, widget: Widget): Column[] {
  const entity = schema.entities[widget.entity]!;
  const paths = widget.columns.length > 0 ? widget.columns : defaultColumns(schema, entity).slice(0, widget.type === "list" ? 2 : 5);
  return paths.map((path) => columnOf(schema, entity, path)).filter((column) => column !== undefined);
}

export function RowsTile({ widget, title }: { widget: Widget; title: string }) {
  const { language } = useI18n();
  const schema = useSchema();
  const navigate = useNavigate();
  const entity = schema.entities[widget.entity]!;
  const columns = columnsOf(schema, widget);
  const order = widget.sort.map((path) => orderOf(schema, entity, path)).filter((path) => path !== undefined);
  const query = `select=${encodeURIComponent(selectOf(entity, columns))}&limit=${widget.limit}${and(widget.filter)}${order.length > 0 ? `&order=${order.join(",")}` : ""}`;
  const { data, error, refetch } = useQuery({
    queryKey: ["figures", schema.version, entity.name, query],
    queryFn: ({ signal }) => get<Row[]>(`/${entity.name}?${query}`, signal),
    refetchInterval: EVERY,
    placeholderData: keepPreviousData,
  });
  if (data === undefined) return error ? <TileTrouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={180} />;
  if (data.length === 0) return <TileEmpty />;
  const to = (row: Row) => here(`/data/${entity.name}/${encodeURIComponent(String(row[entity.key]))}`);
  const cell = (row: Row, column: Column) => <Value field={column.relation?.target.fields[column.relation.target.label ?? ""] ?? column.field} value={valueOf(row, column)} entity={entity} />;
  if (widget.type === "list")
    return (
      <Stack gap={0}>
        {data.map((row) => (
          <Link key={String(row[entity.key])} to={to(row)} className={classes.row}>
            {columns.map((column) => (
              <span key={column.path}>{cell(row, column)}</span>
            ))}
          </Link>
        ))}
      </Stack>
    );
  return (
    <Table.ScrollContainer minWidth={columns.length * 110} scrollAreaProps={{ viewportProps: { tabIndex: 0, "aria-label": title } }}>
      <Table highlightOnHover verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.path}>{columnTitle(column, language)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.map((row) => (
            <Table.Tr key={String(row[entity.key])} onClick={() => void navigate(to(row))}>
              {columns.map((column, at) => (
                <Table.Td key={column.path}>{at === 0 ? <Anchor component={Link} to={to(row)} size="sm">{cell(row, column)}</Anchor> : cell(row, column)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
