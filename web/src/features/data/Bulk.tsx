/** What one does with the rows that are selected: set a field in all of them, delete them. */
import { Button, Group, Modal, Paper, Select, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { IconPencil, IconTrash, IconX } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { FieldInput } from "@/components/inputs/FieldInput";
import { ask, get } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import type { Row } from "@/lib/rows/columns";
import { quoted } from "@/lib/rows/filters";
import { changed } from "@/lib/rows/rows";
import type { Entity } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import classes from "./Bulk.module.css";

interface Properties {
  entity: Entity;
  selected: ReadonlySet<string>;
  editable: ReadonlySet<string>;
  onClear: () => void;
}

export function Bulk({ entity, selected, editable, onClear }: Properties) {
  const { t } = useI18n();
  const [setting, setSetting] = useState(false);
  const count = selected.size;
  const where = `${entity.key}=${encodeURIComponent(`in.(${[...selected].map(quoted).join(",")})`)}`;

  const run = async (method: "PATCH" | "DELETE", body: unknown, told: (count: number) => ReactNode, id?: string) => {
    try {
      const { headers } = await ask(`/${entity.name}?${where}`, { method, body, headers: { Prefer: "return=minimal,count=exact" } });
      const done = Number(headers.get("Content-Range")?.split("/")[1]);
      changed(entity.name);
      onClear();
      notifications.show({ ...(id ? { id, autoClose: 10_000 } : {}), message: told(Number.isFinite(done) ? done : count) });
    } catch (error) {
      const problem = asProblem(error);
      notifications.show({ color: "red", title: problem.title, message: problem.errors[0]?.detail ?? problem.message });
    }
  };

  const setAll = async (field: string, value: unknown) => {
    let before: Row[];
    try {
      before = await get<Row[]>(`/${entity.name}?select=${entity.key},${field}&${where}`);
    } catch (error) {
      notifications.show({ color: "red", title: t.table.setField, message: asProblem(error).message });
      return;
    }
    const id = `undo ${entity.name} ${Date.now()}`;
    await run("PATCH", { [field]: value }, (count) => (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{t.table.changed(count)}</Text>
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => {
            notifications.hide(id);
            void putBack(entity, field, before);
          }}
        >
          {t.common.undo}
        </Button>
      </Group>
    ), id);
  };

  const remove = () =>
    modals.openConfirmModal({
      title: t.table.deleteRows(count),
      children: <Text size="sm">{entity.soft_delete ? t.table.softHint : t.table.deleteHint}</Text>,
      labels: { confirm: t.common.delete, cancel: t.common.cancel },
      confirmProps: { color: "red" },
      onConfirm: () => void run("DELETE", undefined, t.table.removed),
    });

  return (
    <Paper className={classes.bar} shadow="md" withBorder role="region" aria-label={t.table.selected(count)}>
      <Text size="sm" fw={550} aria-live="polite">
        {t.table.selected(count)}
      </Text>
      {editable.size > 0 && (
        <Button size="xs" variant="default" leftSection={<IconPencil size={14} aria-hidden />} onClick={() => setSetting(true)}>
          {t.table.setField}
        </Button>
      )}
      {entity.may.includes("delete") && (
        <Button size="xs" variant="default" c="var(--mantine-color-error)" leftSection={<IconTrash size={14} aria-hidden />} onClick={remove}>
          {t.common.delete}
        </Button>
      )}
      <Button size="xs" variant="subtle" color="gray" leftSection={<IconX size={14} aria-hidden />} onClick={onClear}>
        {t.common.cancel}
      </Button>
      <Modal opened={setting} onClose={() => setSetting(false)} title={t.table.setField} centered>
        {setting && (
          <Setter
            entity={entity}
            editable={editable}
            onSet={(field, value) => {
              setSetting(false);
              void setAll(field, value);
            }}
          />
        )}
      </Modal>
    </Paper>
  );
}

/** Give rows the values they had: one request for all that had the same. */
async function putBack(entity: Entity, field: string, before: Row[]): Promise<void> {
  const had = new Map<string, Row[]>();
  for (const row of before) {
    const value = JSON.stringify(row[field] ?? null);
    had.set(value, [...(had.get(value) ?? []), row]);
  }
  try {
    for (const [value, rows] of had) {
      const keys = rows.map((row) => quoted(String(row[entity.key]))).join(",");
      await ask(`/${entity.name}?${entity.key}=${encodeURIComponent(`in.(${keys})`)}`, { method: "PATCH", body: { [field]: JSON.parse(value) as unknown }, headers: { Prefer: "return=minimal" } });
    }
  } catch (error) {
    notifications.show({ color: "red", message: asProblem(error).message });
  }
  changed(entity.name);
}

function Setter({ entity, editable, onSet }: { entity: Entity; editable: ReadonlySet<string>; onSet: (field: string, value: unknown) => void }) {
  const { t, language } = useI18n();
  const [name, setName] = useState<string | null>(null);
  const [value, setValue] = useState<unknown>(null);
  const field = name === null ? undefined : entity.fields[name];
  const fields = Object.values(entity.fields).filter((each) => editable.has(each.name) && !each.unique && each.kind !== "file" && entity.workflow?.field !== each.name);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (field) onSet(field.name, value);
      }}
    >
      <Stack>
        <Select
          label={t.form.field}
          data={fields.map((each) => ({ value: each.name, label: fieldTitle(each, language) }))}
          value={name}
          onChange={(next) => {
            setName(next);
            setValue(null);
          }}
          searchable
          data-autofocus
        />
        {field && <FieldInput field={field} entity={entity} value={value} onChange={setValue} label={t.table.value} />}
        <Group justify="flex-end">
          <Button type="submit" disabled={field === undefined}>
            {t.table.apply}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
