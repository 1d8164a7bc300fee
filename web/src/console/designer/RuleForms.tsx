/** Who may do what: an access entry of an entity, and a role. */
import { Button, Checkbox, Group, MultiSelect, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import type { FormProperties } from "./Dialogs";
import { addEntry, changeEntry, NAME, removeEntry, setRole } from "./edits";
import { problem } from "./EntityForms";
import { BUILT_IN_ROLES, listOf, VERBS, type Entry, type Role, type Verb } from "./model";

/** What an entry of each verb may say. */
const SAYS: Record<Verb, string[]> = {
  read: ["rule", "fields", "hide", "aggregate"],
  create: ["check", "fields"],
  update: ["rule", "check", "fields"],
  write: ["rule", "check", "fields"],
  delete: ["rule"],
};

export function RuleForm({ design, text, edit, entity, entry }: FormProperties & { entity: string; entry: Entry | null }) {
  const { t } = useI18n();
  const [verb, setVerb] = useState<Verb>(entry?.verb ?? "read");
  const [written, setWritten] = useState<Record<string, unknown>>(entry?.written ?? { role: "authenticated" });
  const fields = design.entities.find((one) => one.name === entity)?.fields.map(({ name }) => name) ?? [];
  const roles = [...new Set([...design.roles.map(({ name }) => name), ...BUILT_IN_ROLES])];
  const put = (key: string, value: unknown) => setWritten(Object.fromEntries(Object.entries({ ...written, [key]: value }).filter(([, one]) => one !== undefined)));
  const says = (key: string) => SAYS[verb].includes(key);
  const choose = (next: Verb) => {
    setVerb(next);
    setWritten(Object.fromEntries(Object.entries(written).filter(([key]) => key === "role" || SAYS[next].includes(key))));
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        edit(entry ? changeEntry(text, entity, entry.verb, entry.at, written) : addEntry(text, entity, verb, written));
      }}
    >
      <Stack gap="sm">
        {!entry && <Select data-autofocus label={t.designer.verb} data={VERBS.map((value) => ({ value, label: t.designer.verbs[value] }))} value={verb} onChange={(value) => value && choose(value as Verb)} allowDeselect={false} />}
        <Select label={t.designer.role} data={roles} value={String(written.role ?? "")} onChange={(value) => put("role", value ?? "authenticated")} searchable allowDeselect={false} />
        {says("rule") && <TextInput label={t.designer.rule} description={t.designer.ruleHint} ff="monospace" value={String(written.rule ?? "")} onChange={(event) => put("rule", event.currentTarget.value || undefined)} />}
        {says("check") && <TextInput label={t.designer.check} description={t.designer.checkHint} value={String(written.check ?? "")} onChange={(event) => put("check", event.currentTarget.value || undefined)} />}
        {says("fields") && <MultiSelect label={t.designer.onlyFields} description={t.designer.onlyFieldsHint} data={fields} value={listOf(written.fields)} onChange={(value) => put("fields", value.length ? value : undefined)} searchable clearable />}
        {says("hide") && <MultiSelect label={t.designer.hide} data={fields} value={listOf(written.hide)} onChange={(value) => put("hide", value.length ? value : undefined)} searchable clearable />}
        {says("aggregate") && <Checkbox label={t.designer.aggregate} checked={written.aggregate === true} onChange={(event) => put("aggregate", event.currentTarget.checked || undefined)} />}
        <Group justify="space-between">
          {entry ? (
            <Button variant="subtle" color="red" onClick={() => edit(removeEntry(text, entity, entry.verb, entry.at))}>
              {t.designer.removeRule}
            </Button>
          ) : (
            <span />
          )}
          <Button type="submit">{entry ? t.designer.change : t.designer.add}</Button>
        </Group>
      </Stack>
    </form>
  );
}

export function RoleForm({ design, text, edit, role }: FormProperties & { role: Role | null }) {
  const { t } = useI18n();
  const [name, setName] = useState(role?.name ?? "");
  const [inherits, setInherits] = useState(role?.inherits ?? []);
  const taken = !role && design.roles.some((one) => one.name === name);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        edit(setRole(text, name, inherits));
      }}
    >
      <Stack gap="sm">
        {!role && <TextInput data-autofocus label={t.designer.name} value={name} onChange={(event) => setName(event.currentTarget.value)} error={problem(t.designer, name, taken)} />}
        <MultiSelect label={t.designer.inherits} description={t.designer.inheritsHint} data={design.roles.map((one) => one.name).filter((one) => one !== name)} value={inherits} onChange={setInherits} clearable />
        <Group justify="flex-end">
          <Button type="submit" disabled={!NAME.test(name) || taken}>
            {role ? t.designer.change : t.designer.add}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
