/** A file: sent ahead of the row, which then names it by the id that was answered. */
import { Button, FileButton, Group, Input, Progress, Text } from "@mantine/core";
import { IconFile, IconUpload, IconX } from "@tabler/icons-react";
import { useId, useState } from "react";
import { ask } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { fileName } from "../values/Value";
import type { InputProperties } from "./FieldInput";

export function FileField({ field, value, onChange, label, description, error, required, disabled, entity }: InputProperties) {
  const { t, format } = useI18n();
  const [sending, setSending] = useState(false);
  const [sent, setSent] = useState<{ name: string; size: number } | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const id = useId();
  const { accept, maxSize } = (field.options ?? {}) as { accept?: string[]; maxSize?: number };

  const take = async (file: File | null) => {
    if (file === null || entity === undefined) return;
    setRefused(null);
    if (maxSize !== undefined && file.size > maxSize) return setRefused(t.form.tooLarge(format.bytes(maxSize)));
    setSending(true);
    try {
      const { data } = await ask<{ id: string; size: number }>(`/files/v1/${entity.name}/${field.name}`, {
        method: "POST",
        body: file,
        headers: { "Content-Type": file.type || "application/octet-stream" },
      });
      setSent({ name: file.name, size: data.size });
      onChange(data.id);
    } catch (problem) {
      setRefused(asProblem(problem).message);
    } finally {
      setSending(false);
    }
  };

  return (
    <Input.Wrapper id={id} label={label} description={description} error={refused ?? error} required={required ?? false}>
      <Group gap="xs" mt={4}>
        {value != null && (
          <Group gap={6} wrap="nowrap" miw={0}>
            <IconFile size={18} aria-hidden />
            <Text size="sm" truncate>
              {sent ? `${sent.name} · ${format.bytes(sent.size)}` : fileName(value)}
            </Text>
          </Group>
        )}
        <FileButton onChange={(file) => void take(file)} {...(accept ? { accept: accept.join(",") } : {})} inputProps={{ "aria-label": label ?? field.name }}>
          {(button) => (
            <Button id={id} variant="default" size="xs" leftSection={<IconUpload size={16} aria-hidden />} disabled={disabled || sending} {...button}>
              {value == null ? t.form.choose : t.form.replace}
            </Button>
          )}
        </FileButton>
        {value != null && !disabled && (
          <Button
            variant="subtle"
            color="gray"
            size="xs"
            leftSection={<IconX size={16} aria-hidden />}
            onClick={() => {
              setSent(null);
              onChange(null);
            }}
          >
            {t.common.remove}
          </Button>
        )}
      </Group>
      {sending && <Progress value={100} animated size="xs" mt={6} aria-label={t.form.sending} />}
    </Input.Wrapper>
  );
}
