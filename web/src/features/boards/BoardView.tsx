/** Rows as cards in a column per choice: dragging a card, or its menu, moves the row; a refusal brings it back. */
import { Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import type { ViewProperties } from "@/features/data/viewTypes";
import { useMove } from "@/features/workflow/move";
import { asProblem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";
import { columnOf, defaultColumns, type Row } from "@/lib/rows/columns";
import { updateRow } from "@/lib/rows/rows";
import { useSchema } from "@/lib/schema/schema";
import type { BoardView as Board, Entity } from "@/lib/schema/types";
import { titleOf, valueTitle } from "@/lib/schema/words";
import classes from "./BoardView.module.css";
import { BoardColumn, type Way } from "./BoardColumn";

export interface Moving {
  row: Row;
  from: string;
  to: string;
}

export default function BoardView({ entity, view }: ViewProperties) {
  const { t, language } = useI18n();
  const schema = useSchema();
  const board = view as Board;
  const field = entity.fields[board.group_by];
  const [moving, setMoving] = useState<Moving | null>(null);
  const [dragged, setDragged] = useState<{ row: Row; from: string } | null>(null);
  const ways = useWays(entity, board.group_by);
  const card = board.card.length > 0 ? board.card : defaultColumns(schema, entity).filter((path) => path !== board.group_by).slice(0, 3);
  const columns = card.map((path) => columnOf(schema, entity, path)).filter((column) => column !== undefined);
  const values = (field?.schema.enum ?? []).map(String);
  const title = (value: string) => valueTitle(field, value, language);

  const move = async (row: Row, from: string, way: Way) => {
    setMoving({ row, from, to: way.to });
    try {
      await way.go(String(row[entity.key]));
      await queries.refetchQueries({ queryKey: ["rows", entity.name, "board"] });
    } finally {
      setMoving(null);
    }
  };
  const drop = (to: string | null) => {
    // a card that moves leaves its place, and with it goes the end of its drag
    setDragged(null);
    if (to === null || dragged === null || dragged.from === to) return;
    const way = ways(dragged.from).find((each) => each.to === to);
    if (way) void move(dragged.row, dragged.from, way);
    else notifications.show({ color: "red", title: t.flow.noWay(title(dragged.from), title(to)), message: t.flow.noWayHint });
  };

  return (
    <div className={classes.page}>
      <Text size="sm" c="dimmed">
        {t.flow.boardHint}
      </Text>
      <div className={classes.board} tabIndex={0} role="group" aria-label={titleOf(board.title, t.flow.board, language)}>
        {values.map((value) => (
          <BoardColumn
            key={value}
            entity={entity}
            board={board}
            columns={columns}
            value={value}
            title={title(value)}
            color={entity.workflow?.field === board.group_by ? (entity.workflow.states[value]?.color ?? "") : ""}
            moving={moving}
            reachable={dragged === null ? null : dragged.from === value || ways(dragged.from).some((way) => way.to === value)}
            ways={ways(value)}
            onDrag={(row) => setDragged(row && { row, from: value })}
            onDrop={drop}
            onMove={(row, way) => void move(row, value, way)}
          />
        ))}
      </div>
    </div>
  );
}

/** Ways out of a column: transitions of the workflow, or writing the field. */
function useWays(entity: Entity, group: string): (from: string) => Way[] {
  const { t, language } = useI18n();
  const transit = useMove(entity.workflow ? entity : { ...entity, workflow: { field: group, states: {}, transitions: {} } });
  const field = entity.fields[group];
  if (entity.workflow?.field === group)
    return (from) =>
      Object.entries(entity.workflow!.transitions)
        .filter(([, way]) => way.mine && way.sources.includes(from) && way.target !== from)
        .map(([name, way]) => ({ name, to: way.target, title: titleOf(way.title, name, language), go: (id) => transit(id, name) }));
  if (!field?.writable || !entity.may.includes("update")) return () => [];
  const write = async (id: string, value: string) => {
    try {
      await updateRow(entity, id, { [group]: value });
      return true;
    } catch (error) {
      notifications.show({ color: "red", title: t.flow.refused, message: asProblem(error).message });
      return false;
    }
  };
  return (from) =>
    (field.schema.enum ?? [])
      .map(String)
      .filter((value) => value !== from)
      .map((value) => ({ name: value, to: value, title: valueTitle(field, value, language), go: (id) => write(id, value) }));
}
