/** How a file is read and written: what happens to rows that are there already, and how numbers and days are written. */
import { Select, SimpleGrid } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import type { Entity } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import type { Choice } from "./imports";

/** Fields by which a row is known: unique, and not addresses, whose uniqueness the server cannot go by there. */
export function keysOf(entity: Entity): string[] {
  return Object.values(entity.fields)
    .filter((field) => (field.unique || field.name === entity.key) && field.schema.format !== "email" && !field.write_only)
    .map((field) => field.name);
}

export function Choices({ entity, choice, onChoice }: { entity: Entity; choice: Choice; onChoice: (choice: Choice) => void }) {
  const { t, language } = useI18n();
  const keys = entity.may.includes("update") ? keysOf(entity) : [];
  const words = t.importing;
  const set = (changes: Partial<Choice>) => onChoice({ ...choice, ...changes });
  const same = choice.on_conflict === "" ? "refuse" : choice.ignore ? "leave" : "change";
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
      {keys.length > 0 && (
        <Select
          label={words.there}
          data={(["refuse", "change", "leave"] as const).map((value) => ({ value, label: words.thereWays[value] }))}
          value={same}
          onChange={(value) => set({ on_conflict: value === "refuse" ? "" : choice.on_conflict || keys[0]!, ignore: value === "leave" })}
          allowDeselect={false}
        />
      )}
      {choice.on_conflict !== "" && (
        <Select
          label={words.knownBy}
          data={keys.map((name) => ({ value: name, label: fieldTitle(entity.fields[name]!, language) }))}
          value={choice.on_conflict}
          onChange={(name) => set({ on_conflict: name ?? "" })}
          allowDeselect={false}
        />
      )}
      <Select
        label={words.numbers}
        data={[
          { value: "", label: words.asFound },
          { value: ".", label: "1234.56" },
          { value: ",", label: "1234,56" },
        ]}
        value={choice.decimal}
        onChange={(value) => set({ decimal: (value ?? "") as Choice["decimal"] })}
        allowDeselect={false}
      />
      <Select
        label={words.days}
        data={[
          { value: "", label: "2026-12-31, 31.12.2026" },
          { value: "dmy", label: "31/12/2026" },
          { value: "mdy", label: "12/31/2026" },
        ]}
        value={choice.dates}
        onChange={(value) => set({ dates: (value ?? "") as Choice["dates"] })}
        allowDeselect={false}
      />
    </SimpleGrid>
  );
}
