/** The fields of a row with their values, in the sections of its form. */
import { Anchor, Divider, Stack, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { Link } from "react-router";
import { Nested } from "@/components/values/Nested";
import { fileName, Value } from "@/components/values/Value";
import { addressOf, here } from "@/lib/within";
import { useI18n } from "@/lib/i18n";
import { columnOf, valueOf, type Row } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { Entity, Field, FormView } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import classes from "./Facts.module.css";

const Markdown = lazy(async () => ({ default: (await import("@/components/Markdown")).Markdown }));

export function Facts({ entity, row }: { entity: Entity; row: Row }) {
  const { say, format, language } = useI18n();
  const view = entity.views["form"] as FormView | undefined;
  const shown = (field: Field | undefined): field is Field => field !== undefined && !field.write_only && field.generated !== "managed" && field.name !== entity.label && !(field.name === entity.key && field.generated);
  const sections = (view?.sections ?? []).map((section) => ({ title: section.title, fields: section.fields.map((name) => entity.fields[name]).filter(shown) }));
  const named = new Set((view?.sections ?? []).flatMap((section) => section.fields));
  const rest = Object.values(entity.fields).filter((field) => shown(field) && !named.has(field.name));
  const all = [...sections, { title: {}, fields: rest }].filter((section) => section.fields.length > 0);
  return (
    <Stack gap="lg">
      {all.map((section, at) => (
        <section key={at}>
          {Object.keys(section.title).length > 0 && (
            <Title order={2} mb="sm">
              {say(section.title, "")}
            </Title>
          )}
          <dl className={classes.facts}>
            {section.fields.map((field) => (
              <div key={field.name} className={isWide(field) ? classes.wide : undefined}>
                <dt>{fieldTitle(field, language)}</dt>
                <dd>
                  <Fact entity={entity} field={field} row={row} />
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      {typeof row["created_at"] === "string" && (
        <>
          <Divider color="var(--line)" />
          <Text size="xs" c="dimmed" className="numeric">
            {fieldTitle(entity.fields["created_at"]!, language)}: {format.moment(row["created_at"])}
            {typeof row["updated_at"] === "string" && ` · ${fieldTitle(entity.fields["updated_at"]!, language)}: ${format.ago(row["updated_at"])}`}
          </Text>
        </>
      )}
    </Stack>
  );
}

const isWide = (field: Field) => field.kind === "json" || field.schema.format === "richtext" || (field.kind === "text" && (field.schema.maxLength ?? 0) > 250);

function Fact({ entity, field, row }: { entity: Entity; field: Field; row: Row }) {
  const schema = useSchema();
  const column = columnOf(schema, entity, field.name);
  const value = row[field.name];
  if (value === null || value === undefined) return <Value field={field} value={null} />;
  if (column?.relation)
    return (
      <Anchor component={Link} to={here(`/data/${column.relation.target.name}/${encodeURIComponent(String(value))}`)} size="sm">
        {String(valueOf(row, column))}
      </Anchor>
    );
  if (field.schema.format === "richtext")
    return (
      <Suspense>
        <Markdown text={String(value)} />
      </Suspense>
    );
  if (field.kind === "file")
    return (
      <Anchor href={addressOf(`/${entity.name}/${encodeURIComponent(String(row[entity.key]))}/${field.name}?download`)} size="sm">
        <IconDownload size={14} aria-hidden /> {fileName(value)}
      </Anchor>
    );
  if (field.kind === "json") return <Nested schema={field.schema} value={value} />;
  if (field.kind === "text" && !field.schema.enum && !field.schema.format) return <span className={classes.text}>{String(value)}</span>;
  return <Value field={field} value={value} entity={entity} />;
}
