/** A field: what it holds and what must be true of it. What the form does not know stays as it is written. */
import { Button, Checkbox, Group, NumberInput, Select, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import type { FormProperties } from "./Dialogs";
import { addField, changeField, NAME } from "./edits";
import { problem } from "./EntityForms";
import { asDefault, fits, kindOf, KINDS, withKind, type Kind, type Schema } from "./kinds";

const FLAGS = ["unique", "searchable", "personal"] as const;

export function FieldForm({ design, text, edit, entity, field }: FormProperties & { entity: string; field: string }) {
  const { t } = useI18n();
  const fields = design.entities.find((one) => one.name === entity)?.fields ?? [];
  const found = fields.find((one) => one.name === field);
  const [name, setName] = useState(field);
  const [schema, setSchema] = useState<Schema>(found?.schema ?? { ...KINDS.text, maxLength: 200 });
  const [required, setRequired] = useState(found?.required ?? false);
  const kind = kindOf(schema);
  const put = (key: string, value: unknown) => setSchema((before) => (value === undefined ? without(before, key) : { ...before, [key]: value }));
  const taken = !field && fields.some((one) => one.name === name);
  const offers = (key: string) => kind === null || fits(key, kind);
  const size = (key: string, label: string) =>
    kind !== null && fits(key, kind) && (
      <NumberInput label={label} value={typeof schema[key] === "number" ? schema[key] : ""} onChange={(value) => put(key, typeof value === "number" ? value : undefined)} />
    );
  const incomplete = kind === "choice" && (schema.enum as unknown[]).length === 0;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        edit(field ? changeField(text, entity, field, schema, required) : addField(text, entity, name, schema, required));
      }}
    >
      <Stack gap="sm">
        {!field && <TextInput data-autofocus label={t.designer.name} value={name} onChange={(event) => setName(event.currentTarget.value)} error={problem(t.designer, name, taken)} />}
        {kind === null ? (
          <Text size="sm" c="dimmed">
            {t.designer.special(found?.kind ?? "")}
          </Text>
        ) : (
          <Select
            label={t.designer.kind}
            data={(Object.keys(KINDS) as Kind[]).map((value) => ({ value, label: t.designer.kinds[value] }))}
            value={kind}
            onChange={(value) => value && setSchema(withKind(schema, value as Kind))}
            allowDeselect={false}
          />
        )}
        {kind === "choice" && (
          <TagsInput label={t.designer.choices} description={t.designer.choicesHint} value={(schema.enum as unknown[]).map(String)} onChange={(values) => put("enum", values)} />
        )}
        <Group grow>
          {size("minLength", t.designer.minLength)}
          {size("maxLength", t.designer.maxLength)}
          {size("minimum", t.designer.minimum)}
          {size("maximum", t.designer.maximum)}
        </Group>
        {kind !== null && fits("default", kind) && (
          <TextInput label={t.designer.default} description={t.designer.defaultHint} value={schema.default === undefined ? "" : String(schema.default)} onChange={(event) => put("default", asDefault(event.currentTarget.value, kind))} />
        )}
        <Checkbox label={t.designer.requiredLong} checked={required} onChange={(event) => setRequired(event.currentTarget.checked)} />
        {FLAGS.filter(offers).map((flag) => (
          <Checkbox key={flag} label={t.designer.flags[flag]} checked={schema[flag] === true} onChange={(event) => put(flag, event.currentTarget.checked || undefined)} />
        ))}
        <Group justify="flex-end">
          <Button type="submit" disabled={incomplete || (!field && (!NAME.test(name) || taken))}>
            {field ? t.designer.change : t.designer.add}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function without(schema: Schema, key: string): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== key));
}
