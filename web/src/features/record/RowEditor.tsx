/** A row to fill in or change: saves, shows what the server refuses on its field, and warns before something typed is lost. */
import { Alert, Button, Group, Paper, Stack, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconAlertCircle } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { useLeaveGuard } from "@/components/useLeaveGuard";
import { asProblem, type Problem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { columnOf, possibleColumns, type Column, type Row } from "@/lib/rows/columns";
import { createRow, fetchRow, updateRow } from "@/lib/rows/rows";
import { useSchema } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { Conflict } from "./Conflict";
import { useRowForm } from "./form";
import { FormFields } from "./FormFields";

interface Properties {
  entity: Entity;
  /** The row as loaded, or what a new one begins with. */
  base: Row;
  /** Of a row that exists. */
  etag?: string;
  /** Typed already, e.g. from the address. */
  typed?: Row;
  onDone: (row: Row) => void;
  onCancel: () => void;
  /** In a dialog: no guard against leaving, no frame. */
  inside?: boolean;
}

export function RowEditor({ entity, base, etag, typed, onDone, onCancel, inside }: Properties) {
  const { t } = useI18n();
  const schema = useSchema();
  const creating = etag === undefined;
  const form = useRowForm(entity, base, creating, typed);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [theirs, setTheirs] = useState<{ row: Row; etag: string } | null>(null);
  const done = useRef(false);
  const frame = useRef<HTMLFormElement>(null);
  useLeaveGuard(() => form.dirty && !done.current && !inside);

  const focusFirst = () => requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>("[aria-invalid='true'], [data-error='true']")?.focus());

  const save = async (changes: Row = form.changes, version: string | undefined = etag) => {
    setProblem(null);
    if (!form.complete(t.form.required)) return focusFirst();
    setBusy(true);
    try {
      const id = String(base[entity.key]);
      const row = creating ? await createRow(entity, { ...base, ...changes }) : (await updateRow(entity, id, changes, version)).row;
      done.current = true;
      onDone(row);
    } catch (error) {
      const found = asProblem(error);
      if (found.status === 412 && !creating) {
        const columns = possibleColumns(entity).map((path) => columnOf(schema, entity, path)).filter((column): column is Column => column !== undefined);
        setTheirs(await fetchRow(entity, String(base[entity.key]), columns));
      } else {
        setProblem(found);
        form.blame(found);
        focusFirst();
      }
    } finally {
      setBusy(false);
    }
  };
  useHotkeys([["mod+S", () => void save()]], []);

  const shown = new Set(form.sections.flatMap((section) => section.fields.map((field) => field.name)));
  const elsewhere = problem?.errors.filter(({ pointer }) => !shown.has(pointer.split("/")[1] ?? "")) ?? [];
  const body = (
    <Stack gap="lg">
      {problem && (
        <Alert color="red" role="alert" icon={<IconAlertCircle />} title={problem.offline ? t.shell.offline : problem.errors.length > 0 ? t.form.fix : problem.title}>
          {problem.errors.length === 0 && <Text size="sm">{problem.offline ? t.shell.offlineHint : problem.message}</Text>}
          {elsewhere.map(({ pointer, detail }) => (
            <Text size="sm" key={pointer + detail}>
              {detail}
            </Text>
          ))}
          {problem.hint && (
            <Text size="sm" c="dimmed">
              {problem.hint}
            </Text>
          )}
        </Alert>
      )}
      <FormFields form={form} autoFocus />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onCancel}>
          {t.common.cancel}
        </Button>
        <Button type="submit" loading={busy} disabled={!creating && !form.dirty} title={t.form.saveShortcut}>
          {creating ? t.common.create : t.common.save}
        </Button>
      </Group>
    </Stack>
  );
  return (
    <form
      ref={frame}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void save();
      }}
    >
      {inside ? (
        body
      ) : (
        <Paper withBorder p={{ base: "md", sm: "xl" }} radius="lg" maw={840} bd="1px solid var(--line)">
          {body}
        </Paper>
      )}
      {theirs && (
        <Conflict
          entity={entity}
          base={base}
          mine={form.changes}
          theirs={theirs.row}
          onClose={() => setTheirs(null)}
          onChoose={(changes) => {
            setTheirs(null);
            if (Object.keys(changes).length === 0) {
              done.current = true;
              onDone(theirs.row);
            } else void save(changes, theirs.etag);
          }}
        />
      )}
    </form>
  );
}
