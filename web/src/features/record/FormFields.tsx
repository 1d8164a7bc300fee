/** The fields of a form in their sections, with what is wrong beside each. */
import { Stack, Title } from "@mantine/core";
import { FieldInput } from "@/components/inputs/FieldInput";
import { useI18n } from "@/lib/i18n";
import { labelOf, type Row } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { Field } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import type { RowForm } from "./form";
import classes from "./FormFields.module.css";

const LONG = 250;

/** Takes the whole width, whatever columns its section has. */
function isWide(field: Field): boolean {
  const { format, maxLength } = field.schema;
  return field.kind === "json" || field.kind === "file" || format === "richtext" || (field.kind === "text" && format === undefined && (maxLength ?? 0) > LONG);
}

export function FormFields({ form, autoFocus }: { form: RowForm; autoFocus?: boolean }) {
  const { say, language, t } = useI18n();
  const schema = useSchema();
  const first = form.sections[0]?.fields[0]?.name;
  return (
    <Stack gap="xl">
      {form.sections.map((section, at) => {
        const title = Object.keys(section.title).length > 0 ? say(section.title, "") : at > 0 ? t.form.more : "";
        return (
          <section key={at} aria-label={title || undefined}>
            {title && (
              <Title order={2} mb="sm">
                {title}
              </Title>
            )}
            <div className={classes.grid} data-columns={section.columns}>
              {section.fields.map((field) => {
                const told = form.help(field);
                const target = field.references && schema.entities[field.references.entity];
                const other = field.references && (form.base[field.references.relation] as Row | null | undefined);
                const unchanged = form.values[field.name] === form.base[field.name];
                return (
                  <div key={field.name} className={isWide(field) ? classes.wide : undefined} data-field={field.name}>
                    <FieldInput
                      field={field}
                      entity={form.entity}
                      value={form.values[field.name]}
                      onChange={(value) => form.set(field.name, value)}
                      label={fieldTitle(field, language)}
                      description={told && Object.keys(told.help).length > 0 ? say(told.help, "") : field.description}
                      placeholder={told && Object.keys(told.placeholder).length > 0 ? say(told.placeholder, "") : undefined}
                      required={form.requiredNow(field) && field.kind !== "boolean"}
                      disabled={form.readOnlyNow(field)}
                      error={form.errorAt(`/${field.name}`)}
                      errorAt={(pointer) => form.errorAt(`/${field.name}${pointer}`)}
                      autoFocus={(autoFocus ?? false) && field.name === first}
                      shown={target && other && unchanged ? labelOf(other, target) : undefined}
                    />
                  </div>
                );
              })}
            </div>
          </section>
        );
      })}
    </Stack>
  );
}
