/** The filters of a list: a pill each, built by choosing field, operator and value. */
import { ActionIcon, Button, Group, Pill, Popover, Select, Stack, Text, UnstyledButton } from "@mantine/core";
import { IconFilter, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { FieldInput } from "@/components/inputs/FieldInput";
import { useI18n } from "@/lib/i18n";
import { isComplete, operatorsOf, type Filter, type Operator } from "@/lib/rows/filters";
import type { Entity, Field } from "@/lib/schema/types";
import { fieldTitle, valueTitle } from "@/lib/schema/words";
import { Several } from "./Several";

interface Properties {
  entity: Entity;
  filters: Filter[];
  /** Fields the view offers first. */
  offered: string[];
  onChange: (filters: Filter[]) => void;
}

export function FilterButton({ entity, filters, offered, onChange }: Properties) {
  const { t } = useI18n();
  const [opened, setOpened] = useState(false);
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus shadow="md" transitionProps={{ duration: 90 }} withinPortal>
      <Popover.Target>
        <Button variant="default" leftSection={<IconFilter size={16} aria-hidden />} onClick={() => setOpened((now) => !now)} aria-expanded={opened}>
          {t.table.filter}
        </Button>
      </Popover.Target>
      <Popover.Dropdown w={300}>
        {opened && (
          <Builder
            entity={entity}
            offered={offered}
            onDone={(filter) => {
              onChange([...filters, filter]);
              setOpened(false);
            }}
          />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

export function FilterPills({ entity, filters, onChange }: Omit<Properties, "offered">) {
  const { t, language } = useI18n();
  const [editing, setEditing] = useState<number | null>(null);
  if (filters.length === 0) return null;
  return (
    <Group gap="xs">
      {filters.map((filter, at) => {
        const field = entity.fields[filter.field]!;
        const title = fieldTitle(field, language);
        return (
          <Popover key={at} opened={editing === at} onChange={(open) => setEditing(open ? at : null)} position="bottom-start" trapFocus shadow="md" transitionProps={{ duration: 90 }}>
            <Pill size="md" bd="1px solid var(--line)" bg="var(--mantine-color-body)">
              <Group gap={6} wrap="nowrap" h="100%">
                <Popover.Target>
                  <UnstyledButton fz="sm" onClick={() => setEditing(editing === at ? null : at)}>
                    {title} <Text span c="dimmed" fz="sm">{t.table.operators[filter.operator]}</Text> <Words field={field} filter={filter} />
                  </UnstyledButton>
                </Popover.Target>
                <ActionIcon size="xs" aria-label={t.table.removeFilter(title)} onClick={() => onChange(filters.filter((_, index) => index !== at))}>
                  <IconX size={12} />
                </ActionIcon>
              </Group>
            </Pill>
            <Popover.Dropdown w={300}>
              {editing === at && (
                <Builder
                  entity={entity}
                  offered={[]}
                  initial={filter}
                  onDone={(next) => {
                    onChange(filters.map((each, index) => (index === at ? next : each)));
                    setEditing(null);
                  }}
                />
              )}
            </Popover.Dropdown>
          </Popover>
        );
      })}
      <Button variant="subtle" color="gray" size="compact-sm" onClick={() => onChange([])}>
        {t.table.clearFilters}
      </Button>
    </Group>
  );
}

function Words({ field, filter }: { field: Field; filter: Filter }) {
  const { language, t } = useI18n();
  if (filter.operator === "empty" || filter.operator === "filled") return null;
  if (field.references) return <Several.Names field={field} keys={filter.value} />;
  const told = filter.value.map((value) => (field.kind === "boolean" ? (value === "true" ? t.common.yes : t.common.no) : field.schema.enum ? valueTitle(field, value, language) : value));
  return <b>{told.join(", ")}</b>;
}

function Builder({ entity, offered, initial, onDone }: { entity: Entity; offered: string[]; initial?: Filter; onDone: (filter: Filter) => void }) {
  const { t, language } = useI18n();
  const [filter, setFilter] = useState<Filter>(initial ?? { field: "", operator: "eq", value: [] });
  const fields = Object.values(entity.fields).filter((field) => operatorsOf(field).length > 0 && !field.write_only && !field.computed && !["row_version", "deleted_at"].includes(field.name));
  fields.sort((a, b) => Number(offered.includes(b.name)) - Number(offered.includes(a.name)));
  const field = entity.fields[filter.field];
  const pick = (name: string | null) => {
    const next = entity.fields[name ?? ""];
    if (next) setFilter({ field: next.name, operator: operatorsOf(next)[0]!, value: [] });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (field && isComplete(filter)) onDone(filter);
      }}
    >
      <Stack gap="xs">
        <Select
          aria-label={t.form.field}
          placeholder={t.form.field}
          data={fields.map((each) => ({ value: each.name, label: fieldTitle(each, language) }))}
          value={filter.field || null}
          onChange={pick}
          searchable
          data-autofocus
          comboboxProps={{ withinPortal: false, transitionProps: { duration: 0 } }}
        />
        {field && (
          <Select
            aria-label={t.table.filter}
            allowDeselect={false}
            data={operatorsOf(field).map((operator) => ({ value: operator, label: t.table.operators[operator] }))}
            value={filter.operator}
            onChange={(operator) => setFilter({ ...filter, operator: operator as Operator })}
            comboboxProps={{ withinPortal: false, transitionProps: { duration: 0 } }}
          />
        )}
        {field && filter.operator === "in" ? (
          <Several field={field} value={filter.value} onChange={(value) => setFilter({ ...filter, value })} />
        ) : field?.kind === "boolean" && filter.operator === "eq" ? (
          <Select
            aria-label={t.table.value}
            data={[
              { value: "true", label: t.common.yes },
              { value: "false", label: t.common.no },
            ]}
            value={filter.value[0] ?? null}
            onChange={(value) => setFilter({ ...filter, value: value ? [value] : [] })}
            comboboxProps={{ withinPortal: false, transitionProps: { duration: 0 } }}
          />
        ) : field && filter.operator !== "empty" && filter.operator !== "filled" ? (
          <FieldInput
            field={{ ...plain(field), required: false, nullable: true }}
            value={filter.value[0] ?? null}
            onChange={(value) => setFilter({ ...filter, value: value === null ? [] : [String(value)] })}
            aria-label={t.table.value}
          />
        ) : null}
        <Button type="submit" disabled={!field || !isComplete(filter)}>
          {t.table.apply}
        </Button>
      </Stack>
    </form>
  );
}

/** A filter's value is one line, whatever the field is. */
function plain(field: Field): Field {
  if (field.kind === "array") return { ...field, kind: "text", schema: {} };
  if (field.kind === "text") return { ...field, schema: {} };
  return field;
}
