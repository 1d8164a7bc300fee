/**
 * The designer: the file's entities drawn, and what a person does with them as edits of the very text in the editor
 * beside it. While that text cannot be read the last one that could is shown, and nothing can be edited here.
 */
import { ActionIcon, Alert, Button, Group, Stack, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp, IconArrowsMaximize, IconArrowsMinimize, IconPlus, IconUsers } from "@tabler/icons-react";
import { useDeferredValue, useMemo, useState, type KeyboardEvent } from "react";
import { useI18n } from "@/lib/i18n";
import { Diagram } from "./Diagram";
import { Dialogs, type Doing } from "./Dialogs";
import { EntityPanel } from "./EntityPanel";
import { designOf, type Design } from "./model";
import { RolesPanel } from "./RolesPanel";

export interface DesignerProperties {
  text: string;
  /** The text in force: what it has is renamed with its data. */
  base: string;
  onEdit: (text: string) => void;
  onLine: (line: number) => void;
  undo: (() => void) | null;
  redo: (() => void) | null;
}

function read(text: string): Design | null {
  try {
    return designOf(text);
  } catch {
    return null;
  }
}

export default function Designer({ text, base, onEdit, onLine, undo, redo }: DesignerProperties) {
  const { t } = useI18n();
  const late = useDeferredValue(text);
  const found = useMemo(() => read(late), [late]);
  const [last, setLast] = useState<Design>({ entities: [], roles: [] });
  const [selected, select] = useState("");
  const [large, setLarge] = useState(false);
  const [doing, act] = useState<Doing | null>(null);
  if (found && found !== last) setLast(found);
  const design = found ?? last;
  const entity = design.entities.find(({ name }) => name === selected);
  const keys = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || (event.target as HTMLElement).closest("input, textarea")) return;
    event.preventDefault();
    (event.shiftKey ? redo : undo)?.();
  };
  const show = (name: string) => {
    select(name);
    onLine(design.entities.find((one) => one.name === name)?.line ?? 1);
  };
  return (
    <Stack gap="sm" onKeyDown={keys} role="group" aria-label={t.designer.title} data-large={large || undefined}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} disabled={!found} onClick={() => act({ what: "entity" })}>
            {t.designer.addEntity}
          </Button>
          <Button size="xs" variant="default" leftSection={<IconUsers size={14} aria-hidden />} onClick={() => select("")}>
            {t.designer.roles}
          </Button>
        </Group>
        <Group gap={4}>
          <Tooltip label={large ? t.designer.smaller : t.designer.larger}>
            <ActionIcon variant="default" aria-label={large ? t.designer.smaller : t.designer.larger} onClick={() => setLarge(!large)} visibleFrom="md">
              {large ? <IconArrowsMinimize size={16} /> : <IconArrowsMaximize size={16} />}
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t.designer.undo}>
            <ActionIcon variant="default" aria-label={t.designer.undo} disabled={!undo} onClick={() => undo?.()}>
              <IconArrowBackUp size={16} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t.designer.redo}>
            <ActionIcon variant="default" aria-label={t.designer.redo} disabled={!redo} onClick={() => redo?.()}>
              <IconArrowForwardUp size={16} />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      {!found && (
        <Alert color="yellow" variant="light" role="status">
          {t.designer.unreadable}
        </Alert>
      )}
      <Diagram
        design={design}
        selected={selected}
        onSelect={show}
        onField={(name, field) => {
          select(name);
          onLine(design.entities.find((one) => one.name === name)?.fields.find((one) => one.name === field)?.line ?? 1);
          if (found) act({ what: "field", entity: name, field });
        }}
      />
      {entity ? (
        <EntityPanel entity={entity} disabled={!found} act={act} onLine={onLine} />
      ) : (
        <RolesPanel design={design} disabled={!found} act={act} />
      )}
      <Dialogs
        doing={doing}
        design={design}
        text={text}
        base={base}
        close={() => act(null)}
        edit={(next, name) => {
          onEdit(next);
          act(null);
          if (name !== undefined) select(name);
        }}
      />
    </Stack>
  );
}
