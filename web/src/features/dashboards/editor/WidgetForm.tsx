/** One widget to fill in, shown as it will be while it is. */
import { Button, Group, Modal, MultiSelect, NumberInput, SegmentedControl, Select, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { shownEntities } from "@/app/navigation";
import { fieldAt } from "@/lib/figures/query";
import { isTime } from "@/lib/figures/series";
import { figureTitle } from "@/lib/figures/words";
import { useI18n } from "@/lib/i18n";
import { columnOf, columnTitle, possibleColumns } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { Entity, Schema, Widget } from "@/lib/schema/types";
import { entityTitle, fieldTitle } from "@/lib/schema/words";
import { drawn } from "@/lib/yaml/dashboards";
import { Tile } from "../Tiles";
import classes from "./editor.module.css";

const TYPES = ["metric", "bar", "line", "area", "pie", "table", "list"] as const;
const PERIODS = ["day", "week", "month", "quarter", "year"] as const;
const COUNTABLE = new Set(["integer", "bigint", "numeric", "double"]);

/** Fields that split a figure: their own, and the label of what a foreign key points to. */
function splits(schema: Schema, entity: Entity, timed: boolean): string[] {
  const own = Object.values(entity.fields).filter((field) => !["json", "array", "file"].includes(field.kind) && field.schema.format !== "richtext" && !field.write_only && field.name !== entity.key);
  const paths = own.flatMap((field) => {
    const label = field.references && schema.entities[field.references.entity]?.label;
    return field.references ? (label ? [`${field.references.relation}.${label}`] : []) : [field.name];
  });
  const time = (path: string) => Number(isTime(fieldAt(schema, entity, path)?.kind));
  return timed ? paths.sort((a, b) => time(b) - time(a)) : paths;
}

export function WidgetForm({ widget, onDone, onClose }: { widget: Widget | null; onDone: (widget: Widget) => void; onClose: () => void }) {
  const { t, language } = useI18n();
  const schema = useSchema();
  const entities = shownEntities(schema.entities);
  const [draft, setDraft] = useState(widget ?? drawn({ type: "metric", entity: entities[0]?.name ?? "" }, schema));
  const [shown] = useDebouncedValue(draft, 300);
  const entity = schema.entities[draft.entity];
  const set = (changes: Partial<Widget>) => setDraft((before) => ({ ...before, ...changes }));
  const rows = draft.type === "table" || draft.type === "list";
  const metric = draft.type === "metric";
  const words = t.arranging;
  const figures = entity
    ? ["count()", ...Object.values(entity.fields).filter((field) => COUNTABLE.has(field.kind) && !field.references && field.generated === undefined).flatMap((field) => ["sum", "avg", "min", "max"].map((how) => `${field.name}.${how}()`))]
    : [];
  const byTime = entity !== undefined && draft.by !== null && isTime(fieldAt(schema, entity, draft.by)?.kind);
  const pathTitle = (path: string) => {
    const column = entity && columnOf(schema, entity, path);
    return column ? columnTitle(column, language) : path;
  };
  const title = (path: string) => (path.includes(".") ? pathTitle(path) : entity?.fields[path] ? fieldTitle(entity.fields[path], language) : path);
  // not centred: it would move under the pointer whenever the preview below gets another height
  return (
    <Modal opened onClose={onClose} title={widget ? words.changeTitle : words.add} size="xl" closeButtonProps={{ "aria-label": t.common.close }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onDone(draft);
        }}
      >
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Select label={words.type} data={TYPES.map((type) => ({ value: type, label: words.types[type] }))} value={draft.type} onChange={(type) => set({ type: type as Widget["type"] })} allowDeselect={false} data-autofocus />
            <Select
              label={words.entity}
              data={entities.map((each) => ({ value: each.name, label: entityTitle(each, language) }))}
              value={draft.entity}
              onChange={(name) => set({ entity: name ?? "", value: "count()", by: null, every: null, columns: [], sort: [], filter: "" })}
              allowDeselect={false}
              searchable
            />
            {entity && !rows && (
              <Select
                label={words.figure}
                data={figures.map((value) => ({ value, label: value === "count()" ? words.count : figureTitle(schema, entity, value, { ...t.figures, sum: words.sum }, language) }))}
                value={draft.value}
                onChange={(value) => set({ value: value ?? "count()" })}
                allowDeselect={false}
                searchable
              />
            )}
            {entity && !rows && !metric && (
              <Select label={words.by} data={splits(schema, entity, draft.type === "line" || draft.type === "area").map((path) => ({ value: path, label: title(path) }))} value={draft.by} onChange={(by) => set({ by, every: null })} clearable searchable />
            )}
            {byTime && !metric && <Select label={words.every} data={PERIODS.map((period) => ({ value: period, label: words.periods[period] }))} value={draft.every ?? "day"} onChange={(every) => set({ every: every as Widget["every"] })} allowDeselect={false} />}
            {metric && <Select label={words.compare} data={PERIODS.map((period) => ({ value: `previous_${period}`, label: t.figures.before[period] }))} value={draft.compare} onChange={(compare) => set({ compare })} clearable />}
            {entity && rows && (
              <>
                <MultiSelect label={t.table.columns} data={[...new Set([...possibleColumns(entity), ...draft.columns])].map((path) => ({ value: path, label: title(path) }))} value={draft.columns} onChange={(columns) => set({ columns })} searchable />
                <TextInput label={words.sort} description={words.sortHint} value={draft.sort.join(", ")} onChange={(event) => set({ sort: event.currentTarget.value.split(/[,\s]+/).filter(Boolean) })} />
              </>
            )}
            {!metric && <NumberInput label={words.limit} value={draft.limit} onChange={(limit) => set({ limit: Number(limit) || 10 })} min={1} max={1000} />}
            <TextInput label={t.table.filter} description={words.filterHint} value={draft.filter} onChange={(event) => set({ filter: event.currentTarget.value })} />
            {schema.languages.map((tag) => (
              <TextInput
                key={tag}
                label={schema.languages.length > 1 ? `${words.name} (${tag})` : words.name}
                placeholder={words.nameHint}
                value={draft.title[tag] ?? ""}
                onChange={(event) => set({ title: { ...draft.title, [tag]: event.currentTarget.value } })}
              />
            ))}
          </SimpleGrid>
          <div>
            <Text size="sm" fw={500} mb={4}>
              {words.width}
            </Text>
            <SegmentedControl aria-label={words.width} data={["1", "2", "3", "4"]} value={String(draft.width)} onChange={(width) => set({ width: Number(width) })} />
          </div>
          {schema.entities[shown.entity] && (
            <div className={classes.preview} aria-label={t.form.preview} role="group">
              <Tile key={JSON.stringify(shown)} widget={{ ...shown, title: Object.fromEntries(Object.entries(shown.title).filter(([, text]) => text)) }} />
            </div>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t.common.cancel}
            </Button>
            <Button type="submit">{widget ? t.table.apply : t.common.add}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
