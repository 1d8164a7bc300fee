/** Two people changed one row: what differs, side by side, and a choice per field. Nothing is merged silently. */
import { Button, Group, Modal, Radio, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { Value } from "@/components/values/Value";
import { useI18n } from "@/lib/i18n";
import { columnOf, valueOf, type Row } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import { same } from "./form";

interface Properties {
  entity: Entity;
  /** As it was when the form was opened. */
  base: Row;
  /** What was typed. */
  mine: Row;
  /** As it is now. */
  theirs: Row;
  onChoose: (changes: Row) => void;
  onClose: () => void;
}

export function Conflict({ entity, base, mine, theirs, onChoose, onClose }: Properties) {
  const { t, language } = useI18n();
  const schema = useSchema();
  const names = Object.keys(entity.fields).filter((name) => entity.fields[name]!.generated !== "managed" && (name in mine || !same(base[name], theirs[name])));
  const [choice, setChoice] = useState<Record<string, "mine" | "theirs">>(() =>
    Object.fromEntries(names.map((name) => [name, name in mine && same(base[name], theirs[name]) ? "mine" : "theirs"])),
  );
  const told = (name: string, row: Row) => {
    const column = columnOf(schema, entity, name);
    const field = entity.fields[name]!;
    return column?.relation && row === theirs ? String(valueOf(row, column) ?? "–") : <Value field={field} value={row[name]} entity={entity} />;
  };
  return (
    <Modal opened onClose={onClose} size="xl" title={t.form.conflict} centered>
      <Stack>
        <Text size="sm" c="dimmed">
          {t.form.conflictHint}
        </Text>
        <Table.ScrollContainer minWidth={420}>
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t.form.field}</Table.Th>
                <Table.Th>{t.form.mine}</Table.Th>
                <Table.Th>{t.form.theirs}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {names.map((name) => {
                const title = fieldTitle(entity.fields[name]!, language);
                return (
                  <Table.Tr key={name}>
                    <Table.Th scope="row">{title}</Table.Th>
                    {(["mine", "theirs"] as const).map((side) => (
                      <Table.Td key={side}>
                        <Radio
                          name={`choice-${name}`}
                          checked={choice[name] === side}
                          onChange={() => setChoice({ ...choice, [name]: side })}
                          aria-label={`${title}: ${t.form[side]}`}
                          label={told(name, side === "mine" ? (name in mine ? mine : base) : theirs)}
                        />
                      </Table.Td>
                    ))}
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t.common.back}
          </Button>
          <Button
            onClick={() =>
              onChoose(
                Object.fromEntries(
                  names.filter((name) => choice[name] === "mine").map((name) => [name, name in mine ? mine[name] : base[name]]).filter(([name, value]) => !same(value, theirs[String(name)])),
                ),
              )
            }
          >
            {t.form.saveChosen}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
