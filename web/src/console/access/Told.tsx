/** An explanation: each action with its verdict and its entries, each field with who lets at it. */
import { Code, Group, Stack, Table, Text } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import type { Entity } from "../designer/model";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State, type Tone } from "../parts/State";
import { ASKED, lettingAt, linesOf, together, verdictOf, type Asked, type Explanation, type ExplainedEntry, type Verdict } from "./data";

const TONES: Record<Verdict, Tone> = { yes: "good", if: "warn", no: "bad" };

interface Properties {
  explanation: Explanation;
  /** As it is in the file, for lines. */
  entity: Entity | undefined;
  slug: string;
}

export function Told({ explanation, entity, slug }: Properties) {
  const { t } = useI18n();
  const place = (verb: Asked, index: number) => {
    const line = linesOf(entity, verb)[index];
    return explanation.declared && line ? `${slug}.yaml:${line}` : t.access.unwritten;
  };
  const fields = [...new Set(ASKED.flatMap((verb) => explanation.verbs[verb].flatMap((entry) => entry.fields)))];
  const known = entity?.fields.map(({ name }) => name) ?? [];
  const rows = [...known.filter((name) => fields.includes(name)), ...fields.filter((name) => !known.includes(name))];
  return (
    <Stack gap="md">
      <Panel title={explanation.key ? t.access.ofRow(explanation.entity, explanation.key.slice(0, 8)) : t.access.of(explanation.entity)} flush>
        <Text size="sm" c="dimmed" px="md" pt="sm">
          {t.access.as(explanation.roles.join(", "))}
          {explanation.deleted && ` ${t.access.deleted}`}
          {!explanation.declared && ` ${t.access.undeclared}`}
        </Text>
        <Sheet label={t.access.entries} heads={[t.access.action, t.access.entry, t.access.verdict, t.access.why]}>
          {ASKED.flatMap((verb) => {
            const entries = explanation.verbs[verb];
            const all = together(entries, explanation);
            return [
              <Table.Tr key={verb}>
                <Table.Th scope="row">{t.designer.verbs[verb]}</Table.Th>
                <Table.Td />
                <Table.Td>
                  <State tone={TONES[all]}>{t.access.verdicts[all]}</State>
                </Table.Td>
                <Table.Td>{entries.length === 0 && t.access.nobody}</Table.Td>
              </Table.Tr>,
              ...entries.map((entry) => (
                <Table.Tr key={`${verb} ${entry.index}`}>
                  <Table.Td />
                  <Table.Td>
                    <Group gap="xs" wrap="nowrap">
                      <Text size="sm">{entry.role}</Text>
                      <Code>{place(verb, entry.index)}</Code>
                    </Group>
                  </Table.Td>
                  <Table.Td>
                    <State tone={TONES[verdictOf(entry, explanation)]}>{t.access.says[verdictOf(entry, explanation)]}</State>
                  </Table.Td>
                  <Table.Td>
                    <Why entry={entry} of={explanation} />
                  </Table.Td>
                </Table.Tr>
              )),
            ];
          })}
        </Sheet>
      </Panel>
      <Panel title={t.access.fields} flush>
        <Sheet label={t.access.fields} heads={[t.access.field, ...(["read", "create", "update"] as const).map((verb) => t.designer.verbs[verb])]}>
          {rows.map((name) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{name}</Table.Th>
              {(["read", "create", "update"] as const).map((verb) => {
                const by = lettingAt(name, verb, explanation);
                const verdict = by[0] ? verdictOf(by[0], explanation) : "no";
                return (
                  <Table.Td key={verb}>
                    <State tone={TONES[verdict]}>{by.length ? by.map((entry) => place(verb, entry.index).split(":").at(-1)!).join(", ") : verb === "read" ? t.access.hidden : t.access.locked}</State>
                  </Table.Td>
                );
              })}
            </Table.Tr>
          ))}
        </Sheet>
      </Panel>
    </Stack>
  );
}

function Why({ entry, of }: { entry: ExplainedEntry; of: Explanation }) {
  const { t } = useI18n();
  if (!entry.mine) return <Text size="sm">{t.access.notMine}</Text>;
  return (
    <Stack gap={2}>
      {!entry.rule && !entry.check && <Text size="sm">{t.access.everyRow}</Text>}
      {entry.rule && (
        <Text size="sm">
          <Code>{entry.rule}</Code> {of.key === undefined ? t.access.decides : entry.holds ? t.access.holds : t.access.fails}
        </Text>
      )}
      {entry.check && (
        <Text size="sm">
          <Code>{entry.check}</Code> {t.access.afterwards}
        </Text>
      )}
    </Stack>
  );
}
