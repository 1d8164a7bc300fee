/** Rows in a table: head that sorts, cells that can be edited; only the rows on the screen are drawn. */
import { Checkbox, Skeleton, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useRef } from "react";
import { Link } from "react-router";
import { isNumber } from "@/components/values/Value";
import { useI18n } from "@/lib/i18n";
import { columnTitle, labelOf, type Column, type Row } from "@/lib/rows/columns";
import type { Listing } from "@/lib/rows/rows";
import type { Entity } from "@/lib/schema/types";
import { here } from "@/lib/within";
import { Cell } from "./Cell";
import classes from "./Grid.module.css";

const HEIGHT = 38;

interface Properties {
  listing: Listing;
  rows: Row[];
  /** Nothing has come yet. */
  pending: boolean;
  /** More can be had. */
  more: boolean;
  onMore: () => void;
  onSort: (sort: string[]) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: Set<string>) => void;
  /** Fields I may change. */
  editable: ReadonlySet<string>;
  selectable: boolean;
  label: string;
}

export function Grid({ listing, rows, pending, more, onMore, onSort, selected, onSelect, editable, selectable, label }: Properties) {
  const { t, language } = useI18n();
  const { entity, columns, sort } = listing;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => HEIGHT, overscan: 12 });
  const drawn = virtual.getVirtualItems();
  const last = drawn.at(-1)?.index ?? -1;
  useEffect(() => {
    if (more && last >= rows.length - 30) onMore();
  }, [more, last, rows.length, onMore]);

  const idOf = (row: Row) => String(row[entity.key]);
  // one function for all time: a line is drawn again only when something of its own changed
  const now = useRef({ selected, onSelect });
  useEffect(() => {
    now.current = { selected, onSelect };
  });
  const toggle = useCallback((id: string) => {
    const next = new Set(now.current.selected);
    if (!next.delete(id)) next.add(id);
    now.current.onSelect(next);
  }, []);
  const every = rows.length > 0 && rows.every((row) => selected.has(idOf(row)));
  const above = drawn[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (drawn.at(-1)?.end ?? 0);
  const width = columns.length + (selectable ? 1 : 0);

  return (
    <div ref={scroller} className={classes.scroller} tabIndex={0} role="region" aria-label={label}>
      <table className={classes.table} aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {selectable && (
              <th className={classes.check} scope="col">
                <Checkbox
                  size="xs"
                  checked={every}
                  indeterminate={!every && selected.size > 0}
                  onChange={() => onSelect(every ? new Set() : new Set(rows.map(idOf)))}
                  aria-label={t.table.selectAll}
                />
              </th>
            )}
            {columns.map((column) => (
              <Head key={column.path} column={column} sort={sort} onSort={onSort} title={columnTitle(column, language)} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && (
            <tr aria-hidden>
              <td colSpan={width} style={{ height: above, padding: 0 }} />
            </tr>
          )}
          {drawn.map(({ index }) => {
            const row = rows[index]!;
            const id = idOf(row);
            return (
              <Line
                key={id}
                id={id}
                at={index}
                row={row}
                entity={entity}
                columns={columns}
                editable={editable}
                selected={selectable ? selected.has(id) : null}
                onToggle={toggle}
              />
            );
          })}
          {below > 0 && (
            <tr aria-hidden>
              <td colSpan={width} style={{ height: below, padding: 0 }} />
            </tr>
          )}
          {pending &&
            Array.from({ length: 12 }, (_, row) => (
              <tr key={row}>
                {Array.from({ length: width }, (_, at) => (
                  <td key={at}>
                    <Skeleton h={14} w={`${88 - ((row * 7 + at * 23) % 45)}%`} />
                  </td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

interface LineProperties {
  id: string;
  /** Its place among the rows. */
  at: number;
  row: Row;
  entity: Entity;
  columns: Column[];
  editable: ReadonlySet<string>;
  /** Null where rows cannot be chosen. */
  selected: boolean | null;
  onToggle: (id: string) => void;
}

const Line = memo(function Line({ id, at, row, entity, columns, editable, selected, onToggle }: LineProperties) {
  const { t } = useI18n();
  return (
    <tr aria-rowindex={at + 2} data-selected={selected || undefined}>
      {selected !== null && (
        <td className={classes.check}>
          <Checkbox size="xs" checked={selected} onChange={() => onToggle(id)} aria-label={t.table.selectRow(labelOf(row, entity))} />
        </td>
      )}
      {columns.map((column, place) => (
        <Cell
          key={column.path}
          entity={entity}
          row={row}
          column={column}
          editable={!column.path.includes(".") && editable.has(column.field.name)}
          link={place === 0 ? (shown) => <Link to={here(`/data/${entity.name}/${encodeURIComponent(id)}`)} className={classes.open}>{shown}</Link> : undefined}
        />
      ))}
    </tr>
  );
});

function Head({ column, sort, onSort, title }: { column: Column; sort: string[]; onSort: (sort: string[]) => void; title: string }) {
  const { t } = useI18n();
  const up = sort.includes(column.path);
  const down = sort.includes(`-${column.path}`);
  const sortable = !["json", "array", "file"].includes(column.field.kind) && !column.field.computed;
  return (
    <th scope="col" aria-sort={up ? "ascending" : down ? "descending" : undefined} className={isNumber(column.field) ? classes.number : undefined}>
      {sortable ? (
        <UnstyledButton
          className={classes.sort}
          onClick={() => onSort(up ? [`-${column.path}`] : down ? [] : [column.path])}
          aria-label={up ? t.table.sortUp(title) : down ? t.table.sortDown(title) : t.table.sortBy(title)}
        >
          <span className={classes.headText}>{title}</span>
          {up ? <IconArrowUp size={14} aria-hidden /> : down ? <IconArrowDown size={14} aria-hidden /> : null}
        </UnstyledButton>
      ) : (
        <span className={classes.headText}>{title}</span>
      )}
    </th>
  );
}
