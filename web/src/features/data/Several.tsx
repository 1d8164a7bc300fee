/** Several values of an enum, or several rows, for "is one of". */
import { MultiSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get } from "@/lib/within";
import { useI18n } from "@/lib/i18n";
import { labelOf, type Row } from "@/lib/rows/columns";
import { quoted } from "@/lib/rows/filters";
import { useSchema } from "@/lib/schema/schema";
import type { Field } from "@/lib/schema/types";
import { valueTitle } from "@/lib/schema/words";

interface Properties {
  field: Field;
  value: string[];
  onChange: (value: string[]) => void;
}

export function Several({ field, value, onChange }: Properties) {
  const { t, language } = useI18n();
  if (field.references) return <SeveralRows field={field} value={value} onChange={onChange} />;
  return (
    <MultiSelect
      aria-label={t.table.value}
      data={(field.schema.enum ?? []).map((each) => ({ value: String(each), label: valueTitle(field, String(each), language) }))}
      value={value}
      onChange={onChange}
      searchable
      comboboxProps={{ withinPortal: false, transitionProps: { duration: 0 } }}
    />
  );
}

/** Labels of rows by key. */
function useNames(field: Field, keys: string[]) {
  const schema = useSchema();
  const target = schema.entities[field.references!.entity];
  const select = target ? [...new Set([target.key, ...(target.label ? [target.label] : [])])].join(",") : "";
  const { data } = useQuery({
    queryKey: ["rows", target?.name, "names", keys],
    queryFn: ({ signal }) => get<Row[]>(`/${target!.name}?select=${select}&${target!.key}=${encodeURIComponent(`in.(${keys.map(quoted).join(",")})`)}`, signal),
    enabled: target !== undefined && keys.length > 0,
    placeholderData: keepPreviousData,
  });
  return new Map((data ?? []).map((row) => [String(row[target!.key]), labelOf(row, target!)]));
}

function Names({ field, keys }: { field: Field; keys: string[] }) {
  const names = useNames(field, keys);
  return <b>{keys.map((key) => names.get(key) ?? "…").join(", ")}</b>;
}

Several.Names = Names;

function SeveralRows({ field, value, onChange }: Properties) {
  const { t } = useI18n();
  const schema = useSchema();
  const [typed, setTyped] = useState("");
  const [words] = useDebouncedValue(typed, 180);
  const names = useNames(field, value);
  const target = schema.entities[field.references!.entity];
  const label = target?.label ? target.fields[target.label] : undefined;
  const query = new URLSearchParams({ limit: "20" });
  if (label) query.set("order", label.name);
  if (label && words) query.set(label.name, `ilike.*${words.replace(/[\\%_*]/g, "\\$&")}*`);
  const { data } = useQuery({
    queryKey: ["rows", target?.name, "several", words],
    queryFn: ({ signal }) => get<Row[]>(`/${target!.name}?${query.toString()}`, signal),
    enabled: target !== undefined,
    placeholderData: keepPreviousData,
  });
  if (target === undefined) return null;
  const found = new Map((data ?? []).map((row) => [String(row[target.key]), labelOf(row, target)]));
  for (const key of value) if (!found.has(key)) found.set(key, names.get(key) ?? "…");
  return (
    <MultiSelect
      aria-label={t.table.value}
      data={[...found].map(([key, name]) => ({ value: key, label: name }))}
      value={value}
      onChange={onChange}
      searchable
      searchValue={typed}
      onSearchChange={setTyped}
      filter={({ options }) => options}
      nothingFoundMessage={t.shell.paletteEmpty}
      comboboxProps={{ withinPortal: false, transitionProps: { duration: 0 } }}
    />
  );
}
