/** A value as people read it, by the type of its field; the same in tables, on detail pages and on cards. */
import { Anchor, Badge, ColorSwatch, Group, Text } from "@mantine/core";
import { IconCheck, IconFile, IconMinus } from "@tabler/icons-react";
import { useI18n } from "@/lib/i18n";
import { safeLink } from "@/lib/links";
import type { Entity, Field } from "@/lib/schema/types";
import { valueTitle } from "@/lib/schema/words";

interface Properties {
  field: Field;
  value: unknown;
  /** Whose field it is: colours of states come from its workflow. */
  entity?: Entity;
}

export function Value({ field, value, entity }: Properties) {
  const { t, language, format } = useI18n();
  if (value === null || value === undefined || value === "")
    return (
      <Text span c="dimmed" aria-label={t.common.none}>
        –
      </Text>
    );
  if (field.schema.enum && field.kind === "text") return <Choice field={field} value={String(value)} entity={entity} language={language} />;
  switch (field.kind) {
    case "boolean":
      return value ? <IconCheck size={16} aria-label={t.common.yes} role="img" /> : <IconMinus size={16} aria-label={t.common.no} role="img" opacity={0.5} />;
    case "date":
      return <span className="numeric">{format.day(String(value))}</span>;
    case "datetime":
      return (
        <time className="numeric" dateTime={String(value)} title={String(value)}>
          {format.moment(String(value))}
        </time>
      );
    case "time":
      return <span className="numeric">{String(value).slice(0, 5)}</span>;
    case "integer":
    case "bigint":
    case "numeric":
    case "double":
      return <span className="numeric">{numeric(field, value, format)}</span>;
    case "array":
      return (
        <Group gap={4} component="span">
          {(value as unknown[]).map((each, at) => (
            <Badge key={at} variant="default" radius="sm" tt="none" fw={500}>
              {String(each)}
            </Badge>
          ))}
        </Group>
      );
    case "file":
      return (
        <Group gap={4} component="span" wrap="nowrap">
          <IconFile size={16} aria-hidden />
          <Text span truncate>
            {fileName(value)}
          </Text>
        </Group>
      );
    case "json":
      return (
        <Text span c="dimmed" ff="monospace" size="xs" truncate>
          {JSON.stringify(value)}
        </Text>
      );
    default:
      return <Written field={field} text={String(value)} />;
  }
}

function Written({ field, text }: { field: Field; text: string }) {
  const outside = { target: "_blank", rel: "noopener noreferrer" };
  const format = field.schema.format;
  const link = format === "uri" ? safeLink(text) : format === "email" ? safeLink(`mailto:${text}`) : undefined;
  if (link)
    return (
      <Anchor href={link} {...(format === "uri" ? outside : {})} size="inherit" onClick={(event) => event.stopPropagation()}>
        {text.replace(/^https?:\/\//, "")}
      </Anchor>
    );
  if (format === "color" && /^#[0-9a-f]{6}$/i.test(text))
    return (
      <Group gap={6} component="span" wrap="nowrap">
        <ColorSwatch color={text} size={14} component="span" aria-hidden />
        {text}
      </Group>
    );
  return text;
}

function Choice({ field, value, entity, language }: { field: Field; value: string; entity: Entity | undefined; language: string }) {
  const state = entity?.workflow?.field === field.name ? entity.workflow.states[value] : undefined;
  return (
    <Badge
      variant="default"
      radius="sm"
      tt="none"
      fw={500}
      leftSection={state?.color ? <ColorSwatch color={state.color} size={8} component="span" withShadow={false} aria-hidden /> : undefined}
    >
      {valueTitle(field, value, language)}
    </Badge>
  );
}

function numeric(field: Field, value: unknown, format: ReturnType<typeof useI18n>["format"]): string {
  const number = Number(value);
  // numbers beyond what a script counts exactly stay as they are written
  if (!Number.isSafeInteger(Math.trunc(number))) return String(value);
  const currency = field.options?.["currency"];
  if (typeof currency === "string") return format.money(number, currency);
  const step = field.schema.multipleOf;
  return format.number(number, step !== undefined && step < 1 ? String(step).split(".")[1]?.length : undefined);
}

export function fileName(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    const file = value as { name?: string; id?: string };
    return file.name ?? file.id ?? "";
  }
  return String(value);
}

export const isNumber = (field: Field) => ["integer", "bigint", "numeric", "double"].includes(field.kind) && !field.references;
