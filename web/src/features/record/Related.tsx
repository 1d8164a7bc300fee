/** Rows of other entities that point to this one: a short list each, with a way to all of them and to a new one. */
import { Anchor, Button, Group, Skeleton, Stack, Table, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { Trouble } from "@/components/Trouble";
import { isNumber, Value } from "@/components/values/Value";
import { ask, here } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { columnOf, columnTitle, defaultColumns, selectOf, valueOf, type Column, type Row } from "@/lib/rows/columns";
import { written } from "@/lib/rows/filters";
import { useSchema } from "@/lib/schema/schema";
import type { Entity, Field, ListView, Schema } from "@/lib/schema/types";
import { entityTitle, fieldTitle } from "@/lib/schema/words";

export const RELATED = "related ";
const MOST = 10;

export interface RelatedList {
  key: string;
  other: Entity;
  field: Field;
  title: (language: string) => string;
}

export function relatedOf(schema: Schema, entity: Entity): RelatedList[] {
  const several = new Map<string, number>();
  for (const { entity: name } of entity.inverse) several.set(name, (several.get(name) ?? 0) + 1);
  return entity.inverse.flatMap(({ entity: name, field: column }) => {
    const other = schema.entities[name];
    const field = other?.fields[column];
    if (other === undefined || field === undefined || other.added || !other.may.includes("read")) return [];
    const title = (language: string) => (several.get(name)! > 1 ? `${entityTitle(other, language)} (${fieldTitle(field, language)})` : entityTitle(other, language));
    return [{ key: `${name}.${column}`, other, field, title }];
  });
}

export function RelatedTab({ related, row, entity }: { related: RelatedList; row: Row; entity: Entity }) {
  const { t, language, format } = useI18n();
  const schema = useSchema();
  const { other, field } = related;
  const key = String(row[field.references!.field] ?? row[entity.key]);
  const view = other.views["list"] as ListView | undefined;
  const columns = (view?.columns ?? defaultColumns(schema, other))
    .map((path) => columnOf(schema, other, path))
    .filter((column): column is Column => column !== undefined && column.relation?.field.name !== field.name)
    .slice(0, 5);
  const { data, error, refetch } = useQuery({
    queryKey: ["related", other.name, field.name, key, schema.version],
    queryFn: async ({ signal }) => {
      const order = other.fields["created_at"] ? "&order=created_at.desc" : "";
      const path = `/${other.name}?select=${encodeURIComponent(selectOf(other, columns))}&${field.name}=eq.${encodeURIComponent(key)}${order}&limit=${MOST}`;
      const { data: rows, headers } = await ask<Row[]>(path, { signal, headers: { Prefer: "count=estimated" } });
      return { rows, total: Number(headers.get("Content-Range")?.split("/")[1]) };
    },
  });
  if (error) return <Trouble problem={asProblem(error)} onRetry={() => void refetch()} />;
  const create = other.may.includes("create") && (
    <Button component={Link} to={here(`/data/${other.name}/new?${field.name}=${encodeURIComponent(key)}`)} size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />}>
      {t.table.create}
    </Button>
  );
  if (data === undefined)
    return (
      <Stack gap="xs">
        {Array.from({ length: 4 }, (_, at) => (
          <Skeleton key={at} h={18} />
        ))}
      </Stack>
    );
  if (data.rows.length === 0)
    return (
      <Group>
        <Text size="sm" c="dimmed">
          {t.shell.nothingYet}
        </Text>
        {create}
      </Group>
    );
  const all = here(`/data/${other.name}?f=${encodeURIComponent(written({ field: field.name, operator: "in", value: [key] }))}`);
  return (
    <Stack gap="sm">
      <Table.ScrollContainer minWidth={480}>
        <Table highlightOnHover fz="sm" bg="var(--mantine-color-body)" withTableBorder borderColor="var(--line)">
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <Table.Th key={column.path} ta={isNumber(column.field) ? "end" : undefined}>
                  {columnTitle(column, language)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.rows.map((each) => (
              <Table.Tr key={String(each[other.key])}>
                {columns.map((column, at) => {
                  const label = column.relation && !column.path.includes(".");
                  const shown = label ? String(valueOf(each, column) ?? "–") : <Value field={column.field} value={valueOf(each, column)} entity={other} />;
                  return (
                    <Table.Td key={column.path} ta={isNumber(column.field) ? "end" : undefined}>
                      {at === 0 ? (
                        <Anchor component={Link} to={here(`/data/${other.name}/${encodeURIComponent(String(each[other.key]))}`)} fz="sm">
                          {shown}
                        </Anchor>
                      ) : (
                        shown
                      )}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Group gap="sm">
        {create}
        {data.total > data.rows.length && (
          <Anchor component={Link} to={all} fz="sm">
            {t.table.rows(format.number(data.total))}
          </Anchor>
        )}
      </Group>
    </Stack>
  );
}
