/** A new entity, and a new relation between two. */
import { Button, Checkbox, Group, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import type { FormProperties } from "./Dialogs";
import { addEntity, addField, NAME, relation } from "./edits";

export function EntityForm({ design, text, edit }: FormProperties) {
  const { t } = useI18n();
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [label, setLabel] = useState("name");
  const taken = design.entities.some((entity) => entity.name === name);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        edit(addEntity(text, name, title, label), name);
      }}
    >
      <Stack gap="sm">
        <TextInput data-autofocus label={t.designer.name} description={t.designer.entityNameHint} value={name} onChange={(event) => setName(event.currentTarget.value)} error={problem(t.designer, name, taken)} />
        <TextInput label={t.designer.titleFor} value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
        <TextInput label={t.designer.labelField} description={t.designer.labelHint} value={label} onChange={(event) => setLabel(event.currentTarget.value)} error={problem(t.designer, label, false)} />
        <Group justify="flex-end">
          <Button type="submit" disabled={!NAME.test(name) || !NAME.test(label) || taken}>
            {t.designer.add}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function RelationForm({ design, text, edit, entity }: FormProperties & { entity: string }) {
  const { t } = useI18n();
  const [to, setTo] = useState("");
  const [typed, setTyped] = useState<string | null>(null);
  const [onDelete, setOnDelete] = useState("restrict");
  const [required, setRequired] = useState(false);
  const [unique, setUnique] = useState(false);
  const name = typed ?? (to ? `${to.replace(/ies$/, "y").replace(/s$/, "")}_id` : "");
  const taken = design.entities.find((one) => one.name === entity)?.fields.some((one) => one.name === name) ?? false;
  const targets = [...new Set([...design.entities.map((one) => one.name), "users"])];
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        edit(addField(text, entity, name, { ...relation(to, onDelete), ...(unique && { unique }) }, required));
      }}
    >
      <Stack gap="sm">
        <Select data-autofocus label={t.designer.refersTo} data={targets} value={to || null} onChange={(value) => setTo(value ?? "")} searchable />
        <TextInput label={t.designer.fieldName} value={name} onChange={(event) => setTyped(event.currentTarget.value)} error={problem(t.designer, name, taken)} />
        <Select
          label={t.designer.onDelete}
          data={(["restrict", "cascade", "set_null"] as const).filter((way) => way !== "set_null" || !required).map((way) => ({ value: way, label: t.designer.onDeletes[way] }))}
          value={onDelete}
          onChange={(value) => setOnDelete(value ?? "restrict")}
          allowDeselect={false}
        />
        <Checkbox
          label={t.designer.relationRequired}
          checked={required}
          onChange={(event) => {
            setRequired(event.currentTarget.checked);
            if (event.currentTarget.checked && onDelete === "set_null") setOnDelete("restrict");
          }}
        />
        <Checkbox label={t.designer.oneToOne} checked={unique} onChange={(event) => setUnique(event.currentTarget.checked)} />
        <Group justify="flex-end">
          <Button type="submit" disabled={!to || !NAME.test(name) || taken}>
            {t.designer.add}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What is wrong with a name, once something is typed. */
export function problem(t: { badName: string; taken: string }, name: string, taken: boolean): string | null {
  if (name === "") return null;
  return taken ? t.taken : NAME.test(name) ? null : t.badName;
}
