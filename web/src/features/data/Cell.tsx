/** One cell: shows its value; double-click, F2 or Enter changes it in place, Escape leaves it, and a change can be taken back. */
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useRef, useState, type ReactNode } from "react";
import { Link } from "react-router";
import { FieldInput } from "@/components/inputs/FieldInput";
import { Marked } from "@/components/Marked";
import { isNumber, Value } from "@/components/values/Value";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { columnTitle, valueOf, type Column, type Row } from "@/lib/rows/columns";
import { changed, updateRow } from "@/lib/rows/rows";
import type { Entity } from "@/lib/schema/types";
import { here } from "@/lib/within";
import classes from "./Grid.module.css";

interface Properties {
  entity: Entity;
  row: Row;
  column: Column;
  editable: boolean;
  link?: ((shown: ReactNode) => ReactNode) | undefined;
}

const IN_PLACE = new Set(["text", "integer", "bigint", "numeric", "double", "boolean", "date", "datetime", "time", "uuid"]);

export function Cell({ entity, row, column, editable, link }: Properties) {
  const { t, language } = useI18n();
  const [draft, setDraft] = useState<{ value: unknown } | null>(null);
  const [kept, setKept] = useState<{ value: unknown; row: Row } | null>(null);
  const cell = useRef<HTMLTableCellElement>(null);
  const { field, relation } = column;
  const stored = row[field.name];
  const mine = editable && IN_PLACE.has(field.kind) && field.schema.format !== "richtext" && entity.workflow?.field !== field.name;

  const save = async (value: unknown, back?: unknown) => {
    setDraft(null);
    cell.current?.focus();
    if (value === stored && back === undefined) return;
    // shown at once; the answer decides
    setKept({ value, row });
    const version = row["row_version"];
    try {
      const saved = await updateRow(entity, String(row[entity.key]), { [field.name]: value }, back === undefined && version !== undefined ? `"${String(version)}"` : undefined);
      if (back !== undefined) return;
      const id = `undo ${entity.name} ${String(row[entity.key])}`;
      notifications.show({
        id,
        message: (
          <Group justify="space-between" wrap="nowrap">
            <Text size="sm">{t.common.saved}</Text>
            <Button
              size="compact-sm"
              variant="subtle"
              onClick={() => {
                notifications.hide(id);
                void updateRow(entity, String(row[entity.key]), { [field.name]: stored ?? null }, saved.etag || undefined);
              }}
            >
              {t.common.undo}
            </Button>
          </Group>
        ),
        autoClose: 6000,
      });
    } catch (error) {
      setKept(null);
      const problem = asProblem(error);
      const stale = problem.status === 412;
      if (stale) changed(entity.name);
      const told = problem.errors[0]?.detail ?? problem.message;
      notifications.show({ color: "red", title: columnTitle(column, language), message: stale ? t.table.stale : problem.offline ? t.shell.offlineHint : told });
    }
  };

  if (draft !== null)
    return (
      <td
        className={classes.editing}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            setDraft(null);
            cell.current?.focus();
          } else if (event.key === "Enter" && !event.defaultPrevented) {
            event.preventDefault();
            void save(draft.value);
          }
        }}
      >
        <FieldInput
          field={field}
          entity={entity}
          value={draft.value}
          onChange={(value) => {
            const chosen = field.schema.enum !== undefined || field.kind === "boolean" || relation !== undefined;
            if (chosen) void save(value);
            else setDraft({ value });
          }}
          onBlur={() => field.schema.enum === undefined && relation === undefined && void save(draft.value)}
          size="xs"
          autoFocus
          aria-label={columnTitle(column, language)}
          shown={relation ? String(valueOf(row, column) ?? "") : undefined}
          required={field.required}
        />
      </td>
    );

  const optimistic = kept !== null && kept.row === row && relation === undefined;
  const value = optimistic ? kept.value : valueOf(row, column);
  const highlight = (row["_highlight"] as Record<string, string> | null | undefined)?.[column.path];
  const leaf = relation && !column.path.includes(".") ? relation.target.fields[relation.target.label ?? ""] : column.field;
  const shown = highlight ? <Marked html={highlight} /> : relation && leaf === undefined ? String(value ?? "–") : <Value field={leaf ?? field} value={value} entity={entity} />;
  const other = relation && row[relation.field.name];
  const content = link ? link(shown) : other ? <Link to={here(`/data/${relation.target.name}/${encodeURIComponent(String(other))}`)} className={classes.open}>{shown}</Link> : shown;
  return (
    <td
      ref={cell}
      className={[isNumber(field) ? classes.number : "", mine ? classes.editable : ""].join(" ")}
      {...(mine
        ? {
            tabIndex: 0,
            title: t.table.editCell,
            onDoubleClick: () => setDraft({ value: stored }),
            onKeyDown: (event) => {
              if (event.target === event.currentTarget && (event.key === "F2" || event.key === "Enter")) {
                event.preventDefault();
                setDraft({ value: stored });
              }
            },
          }
        : {})}
    >
      {content}
    </td>
  );
}
