/** Markdown: written on one tab, with buttons for who does not know its signs, read on the other. */
import { ActionIcon, Group, Input, Paper, SegmentedControl, Textarea } from "@mantine/core";
import { IconBlockquote, IconBold, IconHeading, IconItalic, IconLink, IconList, IconListNumbers } from "@tabler/icons-react";
import { lazy, Suspense, useId, useRef, useState, type KeyboardEvent } from "react";
import { useI18n } from "@/lib/i18n";
import type { InputProperties } from "./FieldInput";
import { marked, type Mark } from "./markup";

const Markdown = lazy(async () => ({ default: (await import("@/components/Markdown")).Markdown }));

const MARKS: [Mark, typeof IconBold][] = [
  ["bold", IconBold],
  ["italic", IconItalic],
  ["heading", IconHeading],
  ["bullets", IconList],
  ["numbers", IconListNumbers],
  ["quote", IconBlockquote],
  ["link", IconLink],
];
const KEYS: Record<string, Mark> = { b: "bold", i: "italic", k: "link" };

export function MarkdownField({ field, value, onChange, label, description, error, required, disabled, placeholder, autoFocus }: InputProperties) {
  const { t } = useI18n();
  const [reading, setReading] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const text = typeof value === "string" ? value : "";
  const write = (next: string) => onChange(next === "" && field.nullable ? null : next);

  const mark = (how: Mark) => {
    const { selectionStart: from, selectionEnd: to } = area.current!;
    const next = marked({ text, from, to }, how);
    if (next.text.length > (field.schema.maxLength ?? Infinity)) return;
    write(next.text);
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(next.from, next.to);
    });
  };
  const onKey = (event: KeyboardEvent) => {
    const how = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey ? KEYS[event.key] : undefined;
    if (how === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    mark(how);
  };

  return (
    <Input.Wrapper id={id} label={label} description={description} error={error} required={required ?? false}>
      <Group justify="space-between" mb={4} gap="xs">
        <Group gap={2} role="toolbar" aria-label={t.form.marks} style={{ visibility: reading ? "hidden" : undefined }}>
          {MARKS.map(([how, Icon]) => (
            <ActionIcon key={how} size={28} aria-label={t.form.mark[how]} title={t.form.mark[how]} disabled={disabled ?? false} onClick={() => mark(how)}>
              <Icon size={16} />
            </ActionIcon>
          ))}
        </Group>
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
          ref={area}
          id={id}
          value={text}
          onChange={(event) => write(event.currentTarget.value)}
          onKeyDown={onKey}
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
