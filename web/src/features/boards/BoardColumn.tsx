/** One column of a board: its cards, as many as are there, page by page. */
import { ActionIcon, Button, Menu, Skeleton, Text } from "@mantine/core";
import { IconArrowsMove } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { Trouble } from "@/components/Trouble";
import { Value } from "@/components/values/Value";
import { ask, here } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { columnTitle, labelOf, orderOf, selectOf, valueOf, type Column, type Row } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { BoardView, Entity } from "@/lib/schema/types";
import type { Moving } from "./BoardView";
import classes from "./BoardView.module.css";
import { useTouchDrag } from "./useTouchDrag";

const PAGE = 30;
const EVERY = 10_000;

export interface Way {
  name: string;
  to: string;
  title: string;
  go: (id: string) => Promise<boolean>;
}

interface Properties {
  entity: Entity;
  board: BoardView;
  columns: Column[];
  value: string;
  title: string;
  color: string;
  moving: Moving | null;
  /** Whether the dragged card may be dropped here; null when none is dragged. */
  reachable: boolean | null;
  ways: Way[];
  onDrag: (row: Row | null) => void;
  /** Where the dragged card is let go; null: nowhere. */
  onDrop: (value: string | null) => void;
  onMove: (row: Row, way: Way) => void;
}

function useCards({ entity, board, columns, value }: Pick<Properties, "entity" | "board" | "columns" | "value">, limit: number) {
  const schema = useSchema();
  const order = board.sort.map((path) => orderOf(schema, entity, path)).filter((path) => path !== undefined);
  const query = [
    `select=${encodeURIComponent(selectOf(entity, columns, [board.group_by, ...(entity.label ? [entity.label] : [])]))}`,
    `${board.group_by}=eq.${encodeURIComponent(value)}`,
    `order=${[...order, entity.key].join(",")}`,
    `limit=${limit}`,
    ...(board.filter ? [board.filter] : []),
  ].join("&");
  return useQuery({
    queryKey: ["rows", entity.name, "board", value, query],
    queryFn: async ({ signal }) => {
      const { data, headers } = await ask<Row[]>(`/${entity.name}?${query}`, { headers: { Prefer: "count=exact" }, signal });
      return { rows: data, total: Number(headers.get("Content-Range")?.split("/")[1] ?? data.length) };
    },
    refetchInterval: EVERY,
    placeholderData: keepPreviousData,
  });
}

export function BoardColumn(properties: Properties) {
  const { entity, value, title, color, moving, reachable, onDrop } = properties;
  const { t, format } = useI18n();
  const [limit, setLimit] = useState(PAGE);
  const { data, error, refetch } = useCards(properties, limit);
  const key = (row: Row) => String(row[entity.key]);
  const away = moving?.from === value ? key(moving.row) : "";
  const kept = (data?.rows ?? []).filter((row) => key(row) !== away);
  const rows = moving?.to === value && !kept.some((row) => key(row) === key(moving.row)) ? [moving.row, ...kept] : kept;
  return (
    <section
      className={classes.column}
      aria-label={title}
      data-value={value}
      data-reachable={reachable ?? undefined}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onDrop(value);
      }}
    >
      <header className={classes.head}>
        {color && <span className={classes.dot} style={{ background: color }} aria-hidden />}
        <h2>{title}</h2>
        {data && <span className={classes.count}>{format.number(data.total + rows.length - data.rows.length)}</span>}
      </header>
      {data === undefined &&
        (error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} /> : [0, 1, 2].map((at) => <Skeleton key={at} h={72} radius="md" />))}
      {data && rows.length === 0 && (
        <Text size="sm" c="dimmed" ta="center" py="lg">
          {t.flow.emptyColumn}
        </Text>
      )}
      {rows.map((row) => (
        <Card key={key(row)} {...properties} row={row} />
      ))}
      {data && data.total > data.rows.length && (
        <Button variant="subtle" size="compact-sm" onClick={() => setLimit(limit + PAGE)}>
          {t.flow.more(Math.min(PAGE, data.total - data.rows.length))}
        </Button>
      )}
    </section>
  );
}

function Card({ entity, columns, row, ways, moving, onDrag, onDrop, onMove }: Properties & { row: Row }) {
  const { t, language } = useI18n();
  const id = String(row[entity.key]);
  const [first, ...others] = columns;
  const name = labelOf(row, entity);
  const shown = (column: Column) => <Value field={column.relation?.target.fields[column.relation.target.label ?? ""] ?? column.field} value={valueOf(row, column)} entity={entity} />;
  const { shift, handle } = useTouchDrag({
    boardOf: (from) => from.closest(`.${classes.board}`),
    onLift: () => onDrag(row),
    onDrop: (under) => onDrop(under?.closest<HTMLElement>(`.${classes.column}`)?.dataset["value"] ?? null),
  });
  return (
    <article
      className={classes.card}
      data-lifted={shift !== null || undefined}
      style={shift ? { transform: `translate(${shift.x}px, ${shift.y}px)` } : undefined}
      draggable={ways.length > 0 && moving === null}
      data-moving={(moving && String(moving.row[entity.key]) === id) || undefined}
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", id);
        onDrag(row);
      }}
      onDragEnd={() => onDrag(null)}
    >
      <div className={classes.title}>
        <Link to={here(`/data/${entity.name}/${encodeURIComponent(id)}`)} draggable={false}>
          {first ? shown(first) : name}
        </Link>
        {ways.length > 0 && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon size={24} className={classes.handle} {...handle} aria-label={t.flow.move(name)} disabled={moving !== null}>
                <IconArrowsMove size={15} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>{t.flow.moveTo}</Menu.Label>
              {ways.map((way) => (
                <Menu.Item key={way.name} onClick={() => onMove(row, way)}>
                  {way.title}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      {others.map((column) => (
        <div key={column.path} className={classes.fact} title={columnTitle(column, language)}>
          {shown(column)}
        </div>
      ))}
    </article>
  );
}
