/** Markdown: written on one tab, read on the other. */
import { Group, Input, Paper, SegmentedControl, Textarea } from "@mantine/core";
import { lazy, Suspense, useId, useState } from "react";
import { useI18n } from "@/lib/i18n";
import type { InputProperties } from "./FieldInput";

const Markdown = lazy(async () => ({ default: (await import("@/components/Markdown")).Markdown }));

export function MarkdownField({ field, value, onChange, label, description, error, required, disabled, placeholder, autoFocus }: InputProperties) {
  const { t } = useI18n();
  const [reading, setReading] = useState(false);
  const id = useId();
  const text = typeof value === "string" ? value : "";
  return (
    <Input.Wrapper id={id} label={label} description={description} error={error} required={required ?? false}>
      <Group justify="flex-end" mb={4} mt={label ? -22 : 0}>
        <SegmentedControl
          size="xs"
          value={reading ? "read" : "write"}
          onChange={(next) => setReading(next === "read")}
          aria-label={label ?? t.form.text}
          data={[
            { value: "write", label: t.form.write },
            { value: "read", label: t.form.preview },
          ]}
        />
      </Group>
      {reading ? (
        <Paper withBorder p="sm" mih={96}>
          <Suspense>{text ? <Markdown text={text} /> : null}</Suspense>
        </Paper>
      ) : (
        <Textarea
          id={id}
          value={text}
          onChange={(event) => onChange(event.currentTarget.value === "" && field.nullable ? null : event.currentTarget.value)}
          autosize
          minRows={4}
          maxRows={20}
          disabled={disabled ?? false}
          error={error !== undefined}
          placeholder={placeholder}
          data-autofocus={autoFocus}
          {...(field.schema.maxLength === undefined ? {} : { maxLength: field.schema.maxLength })}
        />
      )}
    </Input.Wrapper>
  );
}
