/** Objects and arrays: their parts as fields, elements to add, remove and move. */
import { ActionIcon, Box, Button, Fieldset, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from "@tabler/icons-react";
import { useI18n } from "@/lib/i18n";
import { emptyOf, partOf, partsOf } from "@/lib/schema/nested";
import type { Field } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import { FieldInput, type InputProperties } from "./FieldInput";

type Parts = Record<string, unknown>;
type Below = Pick<InputProperties, "errorAt" | "disabled">;

export function ObjectField({ field, value, onChange, label, description, error, ...below }: InputProperties) {
  return (
    <Fieldset legend={label} variant="default" radius="md" p="sm">
      <Told description={description} error={error} />
      <Inner parts={partsOf(field.schema)} value={value} onChange={onChange} {...below} />
    </Fieldset>
  );
}

export function ArrayField({ field, value, onChange, label, description, error, errorAt, disabled }: InputProperties) {
  const { t } = useI18n();
  const elements = Array.isArray(value) ? value : [];
  const items = field.schema.items ?? {};
  const full = elements.length >= (field.schema.maxItems ?? Infinity);
  const move = (from: number, to: number) => {
    const next = [...elements];
    next.splice(to, 0, ...next.splice(from, 1));
    onChange(next);
  };
  return (
    <Fieldset legend={label} variant="default" radius="md" p="sm">
      <Told description={description} error={error} />
      <Stack gap="sm">
        {elements.map((element, at) => (
          <Group key={at} align="flex-start" gap="xs" wrap="nowrap" role="group" aria-label={`${label ?? field.name} ${at + 1}`}>
            <Box flex={1} miw={0}>
              <Inner
                parts={items.properties ? partsOf(items) : [partOf("", items)]}
                value={element}
                onChange={(next) => onChange(elements.map((each, index) => (index === at ? next : each)))}
                disabled={disabled ?? false}
                errorAt={(pointer) => errorAt?.(`/${at}${pointer}`)}
              />
            </Box>
            {!disabled && (
              <Group gap={2} wrap="nowrap" pt={items.properties ? 24 : 2}>
                <ActionIcon disabled={at === 0} onClick={() => move(at, at - 1)} aria-label={t.form.up(at + 1)}>
                  <IconArrowUp size={16} />
                </ActionIcon>
                <ActionIcon disabled={at === elements.length - 1} onClick={() => move(at, at + 1)} aria-label={t.form.down(at + 1)}>
                  <IconArrowDown size={16} />
                </ActionIcon>
                <ActionIcon onClick={() => onChange(elements.filter((_, index) => index !== at))} aria-label={t.form.removeNth(at + 1)}>
                  <IconTrash size={16} />
                </ActionIcon>
              </Group>
            )}
          </Group>
        ))}
        {elements.length === 0 && (
          <Text size="sm" c="dimmed">
            {t.form.noElements}
          </Text>
        )}
        {!disabled && (
          <Group>
            <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} disabled={full} onClick={() => onChange([...elements, emptyOf(items)])}>
              {t.common.add}
            </Button>
          </Group>
        )}
      </Stack>
    </Fieldset>
  );
}

function Inner({ parts, value, onChange, errorAt, disabled }: { parts: Field[]; value: unknown; onChange: (value: unknown) => void } & Below) {
  const { language } = useI18n();
  const single = parts.length === 1 && parts[0]!.name === "";
  if (single) {
    const [part] = parts as [Field];
    return <FieldInput field={part} value={value} onChange={onChange} error={errorAt?.("")} disabled={disabled ?? false} aria-label={fieldTitle(part, language)} />;
  }
  const held = typeof value === "object" && value !== null ? (value as Parts) : {};
  const set = (name: string, next: unknown) => {
    const { [name]: _gone, ...rest } = held;
    onChange(next === null ? rest : { ...rest, [name]: next });
  };
  return (
    <SimpleGrid cols={{ base: 1, xs: Math.min(parts.length, 3) }} spacing="sm" verticalSpacing="sm">
      {parts.map((part) => (
        <FieldInput
          key={part.name}
          field={part}
          value={held[part.name]}
          onChange={(next) => set(part.name, next)}
          label={fieldTitle(part, language)}
          description={part.description}
          required={part.required}
          disabled={disabled ?? false}
          error={errorAt?.(`/${part.name}`)}
          errorAt={(pointer) => errorAt?.(`/${part.name}${pointer}`)}
        />
      ))}
    </SimpleGrid>
  );
}

function Told({ description, error }: Pick<InputProperties, "description" | "error">) {
  return (
    <>
      {description && (
        <Text size="xs" c="dimmed" mb="xs">
          {description}
        </Text>
      )}
      {error && (
        <Text size="xs" c="var(--mantine-color-error)" mb="xs" role="alert">
          {error}
        </Text>
      )}
    </>
  );
}
