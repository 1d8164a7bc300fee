/** Objects as names and values, arrays of objects as small tables. */
import { Code, Table, Text } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import { partsOf } from "@/lib/schema/nested";
import type { JsonSchema } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import { isNumber, Value } from "./Value";

export function Nested({ schema, value }: { schema: JsonSchema; value: unknown }) {
  const { language, t } = useI18n();
  if (Array.isArray(value) && schema.items?.properties) {
    const parts = partsOf(schema.items);
    if (value.length === 0)
      return (
        <Text span size="sm" c="dimmed">
          {t.common.none}
        </Text>
      );
    return (
      <Table.ScrollContainer minWidth={parts.length * 110}>
        <Table verticalSpacing={4} fz="sm">
          <Table.Thead>
            <Table.Tr>
              {parts.map((part) => (
                <Table.Th key={part.name} ta={isNumber(part) ? "end" : undefined}>
                  {fieldTitle(part, language)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {value.map((element: Record<string, unknown>, at) => (
              <Table.Tr key={at}>
                {parts.map((part) => (
                  <Table.Td key={part.name} ta={isNumber(part) ? "end" : undefined}>
                    <Value field={part} value={element?.[part.name]} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    );
  }
  if (schema.properties && typeof value === "object" && value !== null) {
    const held = value as Record<string, unknown>;
    return (
      <Table fz="sm" verticalSpacing={4} w="auto" withRowBorders={false}>
        <Table.Tbody>
          {partsOf(schema).map((part) => (
            <Table.Tr key={part.name}>
              <Table.Th scope="row" c="dimmed" fw={400}>
                {fieldTitle(part, language)}
              </Table.Th>
              <Table.Td>{part.kind === "json" ? <Nested schema={part.schema} value={held[part.name]} /> : <Value field={part} value={held[part.name]} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    );
  }
  return <Code block>{JSON.stringify(value, null, 2)}</Code>;
}
