/** Another name, with what follows it shown before; and taking something out of the file. */
import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useI18n } from "@/lib/i18n";
import type { FormProperties } from "./Dialogs";
import { NAME, removeEntity, removeField } from "./edits";
import { problem } from "./EntityForms";
import { rename } from "./rename";

export function RenameForm({ design, text, base, edit, entity, field }: FormProperties & { entity: string; field: string }) {
  const { t } = useI18n();
  const old = field || entity;
  const [name, setName] = useState(old);
  const found = design.entities.find((one) => one.name === entity);
  const taken = name !== old && (field ? found?.fields.some((one) => one.name === name) : design.entities.some((one) => one.name === name));
  const ready = NAME.test(name) && name !== old && !taken;
  const followed = useMemo(() => (ready ? rename(text, base, { entity, field, to: name }) : null), [ready, text, base, entity, field, name]);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (followed) edit(followed.text, field ? entity : name);
      }}
    >
      <Stack gap="sm">
        <TextInput data-autofocus label={t.designer.newName} value={name} onChange={(event) => setName(event.currentTarget.value)} error={problem(t.designer, name, taken ?? false)} />
        <Text size="sm">{t.designer.renameHint}</Text>
        {followed && (
          <Text size="sm" c="dimmed">
            {followed.lines.length ? t.designer.followed(followed.lines) : t.designer.nothingFollows}
          </Text>
        )}
        {followed && followed.unsure.length > 0 && (
          <Alert color="yellow" variant="light" title={t.designer.unsure}>
            {t.designer.unsureLines(followed.unsure)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button type="submit" disabled={!ready}>
            {t.designer.rename}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function RemoveForm({ text, edit, entity, field }: FormProperties & { entity: string; field: string }) {
  const { t } = useI18n();
  return (
    <Stack gap="sm">
      <Text size="sm">{t.designer.removeHint}</Text>
      <Group justify="flex-end">
        <Button data-autofocus color="red" onClick={() => edit(field ? removeField(text, entity, field) : removeEntity(text, entity), field ? entity : "")}>
          {t.designer.remove}
        </Button>
      </Group>
    </Stack>
  );
}
