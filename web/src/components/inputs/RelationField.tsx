/** A row of another entity, found by typing; or made on the spot. */
import { CloseButton, Combobox, InputBase, Loader, Modal, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { get } from "@/lib/within";
import { useI18n } from "@/lib/i18n";
import { labelOf, type Row } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { entityTitle } from "@/lib/schema/words";
import type { InputProperties } from "./FieldInput";

const NewRow = lazy(() => import("@/features/record/NewRow"));
const MOST = 20;
const MAKE = "\u0000make";

export function RelationField(properties: InputProperties) {
  const schema = useSchema();
  const target = schema.entities[properties.field.references!.entity];
  return target === undefined ? null : <Chooser {...properties} target={target} />;
}

function Chooser({ field, value, onChange, target, shown, label, description, error, required, disabled, placeholder, autoFocus, size, ...aria }: InputProperties & { target: Entity }) {
  const { t, language } = useI18n();
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const [typed, setTyped] = useState<string | null>(null);
  const [chosen, setChosen] = useState<{ key: string; label: string } | null>(null);
  const [making, setMaking] = useState<string | null>(null);
  const [words] = useDebouncedValue(typed ?? "", 180);
  const key = value === null || value === undefined ? "" : String(value);

  const { data: found, isFetching } = useQuery({
    queryKey: ["rows", target.name, "choices", words],
    queryFn: ({ signal }) => get<Row[]>(`/${target.name}?${choices(target, words)}`, signal),
    enabled: combobox.dropdownOpened,
    placeholderData: keepPreviousData,
  });
  const { data: current } = useQuery({
    queryKey: ["rows", target.name, "label", key],
    queryFn: ({ signal }) => get<Row[]>(`/${target.name}?select=${fields(target)}&${field.references!.field}=eq.${encodeURIComponent(key)}`, signal),
    enabled: key !== "" && shown === undefined && chosen?.key !== key,
  });
  const name = key === "" ? "" : chosen?.key === key ? chosen.label : (shown ?? (current?.[0] ? labelOf(current[0], target) : ""));

  const take = (row: Row) => {
    const next = String(row[field.references!.field]);
    setChosen({ key: next, label: labelOf(row, target) });
    setTyped(null);
    onChange(row[field.references!.field]);
    combobox.closeDropdown();
  };
  const make = () => {
    combobox.closeDropdown();
    setMaking(typed ?? "");
    setTyped(null);
  };

  return (
    <>
      {making !== null && (
        <Modal opened onClose={() => setMaking(null)} title={t.shell.newOf(entityTitle(target, language))} size="lg" centered>
          <Suspense>
            <NewRow
              entity={target}
              initial={target.label && making ? { [target.label]: making } : {}}
              onCancel={() => setMaking(null)}
              onDone={(row) => {
                setMaking(null);
                take(row);
              }}
            />
          </Suspense>
        </Modal>
      )}
    <Combobox
      store={combobox}
      onOptionSubmit={(option) => (option === MAKE ? make() : take(found!.find((row) => String(row[field.references!.field]) === option)!))}
      transitionProps={{ duration: 0 }}
    >
      <Combobox.Target>
        <InputBase
          label={label}
          aria-label={aria["aria-label"]}
          description={description}
          error={error}
          required={required ?? false}
          disabled={disabled ?? false}
          placeholder={placeholder ?? t.form.find}
          size={size ?? "sm"}
          autoFocus={autoFocus ?? false}
          value={typed ?? name}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            combobox.openDropdown();
            combobox.updateSelectedOptionIndex();
          }}
          onClick={() => combobox.openDropdown()}
          onBlur={() => {
            combobox.closeDropdown();
            setTyped(null);
          }}
          rightSectionPointerEvents="all"
          rightSection={
            isFetching && combobox.dropdownOpened ? (
              <Loader size={14} />
            ) : key !== "" && !required && !disabled ? (
              <CloseButton size="sm" aria-label={t.common.remove} onClick={() => onChange(null)} />
            ) : (
              <Combobox.Chevron />
            )
          }
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options mah={260} style={{ overflowY: "auto" }}>
          {(found ?? []).map((row) => (
            <Combobox.Option key={String(row[target.key])} value={String(row[field.references!.field])} selected={String(row[field.references!.field]) === key}>
              {labelOf(row, target)}
            </Combobox.Option>
          ))}
          {found?.length === 0 && <Combobox.Empty>{t.shell.paletteEmpty}</Combobox.Empty>}
          {target.may.includes("create") && (
            <Combobox.Option value={MAKE}>
              <IconPlus size={14} aria-hidden /> {t.form.makeNew(entityTitle(target, language))}
            </Combobox.Option>
          )}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
    </>
  );
}

const fields = (target: Entity) => [...new Set([target.key, ...(target.label ? [target.label] : [])])].join(",");

/** Rows that match what is typed: by its label, or by search where there is something to search in. */
function choices(target: Entity, words: string): string {
  const query = new URLSearchParams({ select: fields(target), limit: String(MOST) });
  const searchable = Object.values(target.fields).some((field) => field.searchable);
  const label = target.label ? target.fields[target.label] : undefined;
  if (words !== "" && label?.kind === "text") query.set(label.name, `ilike.*${words.replace(/[\\%_*]/g, "\\$&")}*`);
  else if (words !== "" && searchable) query.set("search", words);
  if (label) query.set("order", label.name);
  return query.toString();
}
