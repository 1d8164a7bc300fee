/** A tile as it will be, with what can be done to it, and what the server says of it. */
import { ActionIcon, Group, Paper, Text } from "@mantine/core";
import { IconArrowLeft, IconArrowRight, IconArrowsDiagonal, IconArrowsDiagonalMinimize2, IconPencil, IconTrash } from "@tabler/icons-react";
import type { CSSProperties } from "react";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import type { Widget } from "@/lib/schema/types";
import { Tile } from "../Tiles";
import { widgetTitle } from "../widgets";
import classes from "./editor.module.css";
import type { Finding } from "./file";

interface Properties {
  widget: Widget;
  at: number;
  last: number;
  findings: Finding[];
  onMove: (to: number) => void;
  onWidth: (width: number) => void;
  onRemove: () => void;
  onOpen: () => void;
  onDrag: (dragging: boolean) => void;
  onDrop: () => void;
}

const WIDEST = 4;

export function EditedTile({ widget, at, last, findings, onMove, onWidth, onRemove, onOpen, onDrag, onDrop }: Properties) {
  const { t, language, say } = useI18n();
  const schema = useSchema();
  const known = schema.entities[widget.entity] !== undefined;
  const name = known ? widgetTitle(schema, widget, t.figures, language, say) : widget.entity;
  const tools = [
    { label: t.arranging.earlier(name), icon: IconArrowLeft, off: at === 0, run: () => onMove(at - 1) },
    { label: t.arranging.later(name), icon: IconArrowRight, off: at === last, run: () => onMove(at + 1) },
    { label: t.arranging.narrower(name), icon: IconArrowsDiagonalMinimize2, off: widget.width <= 1, run: () => onWidth(widget.width - 1) },
    { label: t.arranging.wider(name), icon: IconArrowsDiagonal, off: widget.width >= WIDEST, run: () => onWidth(widget.width + 1) },
    { label: t.arranging.change(name), icon: IconPencil, off: false, run: onOpen },
    { label: t.arranging.remove(name), icon: IconTrash, off: false, run: onRemove },
  ];
  return (
    <div
      className={classes.edited}
      style={{ "--width": widget.width } as CSSProperties}
      data-wrong={findings.length > 0 || undefined}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", name);
        onDrag(true);
      }}
      onDragEnd={() => onDrag(false)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onDrop();
      }}
    >
      <Group gap={2} justify="flex-end" className={classes.tools} role="toolbar" aria-label={name}>
        {tools.map(({ label, icon: Icon, off, run }) => (
          <ActionIcon key={label} aria-label={label} title={label} disabled={off} onClick={run}>
            <Icon size={16} />
          </ActionIcon>
        ))}
      </Group>
      {known ? <Tile key={JSON.stringify(widget)} widget={widget} /> : <Paper p="md">{t.arranging.unknown(widget.entity)}</Paper>}
      {findings.map(({ line, message, hint }) => (
        <Text key={`${line} ${message}`} size="sm" c="var(--mantine-color-error)" role="alert" px="md" pb="xs">
          {hint ? `${message} – ${hint}` : message}
        </Text>
      ))}
    </div>
  );
}
