/** One input for every type of field: in forms, in cells of tables, in filters and in parameters of reports. */
import { ColorInput, JsonInput, NumberInput, PasswordInput, Select, Switch, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import type { Entity, Field } from "@/lib/schema/types";
import { valueTitle } from "@/lib/schema/words";
import { fromLocal, toLocal } from "./dates";
import { FileField } from "./FileField";
import { ArrayField, ObjectField } from "./NestedField";
import { MarkdownField } from "./MarkdownField";
import { RelationField } from "./RelationField";

export interface InputProperties {
  field: Field;
  value: unknown;
  onChange: (value: unknown) => void;
  label?: string;
  "aria-label"?: string;
  description?: string | undefined;
  placeholder?: string | undefined;
  error?: string | undefined;
  /** What is wrong with parts of an object or array, by pointer below this field. */
  errorAt?: (pointer: string) => string | undefined;
  required?: boolean;
  disabled?: boolean;
  autoFocus?: boolean;
  size?: "xs" | "sm";
  /** Whose field it is; files and relations need to know. */
  entity?: Entity | undefined;
  /** The label of the row it points to, where that is known. */
  shown?: string | undefined;
  onBlur?: () => void;
}

const LONG = 250;

export function FieldInput(properties: InputProperties) {
  const { t, language } = useI18n();
  const { field, value, onChange, errorAt: _errorAt, entity: _entity, shown: _shown, autoFocus, ...more } = properties;
  const common = { ...more, ...(autoFocus ? { autoFocus: true, "data-autofocus": true } : {}), size: more.size ?? "sm" };
  const text = value === null || value === undefined ? "" : String(value);
  const schema = field.schema;
  const written = (next: string) => onChange(next === "" && field.nullable ? null : next);

  if (field.references) return <RelationField {...properties} />;
  if (schema.enum) {
    const numeric = typeof schema.enum[0] === "number";
    return (
      <Select
        {...common}
        value={value === null || value === undefined ? null : text}
        onChange={(next) => onChange(next !== null && numeric ? Number(next) : next)}
        data={schema.enum.map((each) => ({ value: String(each), label: numeric ? String(each) : valueTitle(field, String(each), language) }))}
        clearable={!properties.required}
        searchable={schema.enum.length > 8}
        nothingFoundMessage={t.shell.paletteEmpty}
        comboboxProps={{ transitionProps: { duration: 0 } }}
      />
    );
  }
  switch (field.kind) {
    case "boolean": {
      const { required: _required, placeholder: _placeholder, ...rest } = common;
      return <Switch {...rest} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} mt={properties.label ? 4 : 0} />;
    }
    case "integer":
    case "bigint":
    case "numeric":
    case "double": {
      const whole = field.kind === "integer" || field.kind === "bigint";
      const digits = schema.multipleOf && schema.multipleOf < 1 ? String(schema.multipleOf).split(".")[1]?.length : undefined;
      return (
        <NumberInput
          {...common}
          value={value === null || value === undefined ? "" : (value as number | string)}
          onChange={(next) => onChange(next === "" || next === "-" ? null : next)}
          allowDecimal={!whole}
          {...(digits === undefined ? {} : { decimalScale: digits })}
          step={schema.multipleOf ?? 1}
          decimalSeparator={language === "de" ? "," : "."}
          hideControls={more.size === "xs"}
        />
      );
    }
    case "date":
      return <TextInput {...common} type="date" value={text} onChange={(event) => onChange(event.currentTarget.value || null)} />;
    case "datetime":
      return <TextInput {...common} type="datetime-local" value={text && toLocal(text)} onChange={(event) => onChange(fromLocal(event.currentTarget.value))} />;
    case "time":
      return <TextInput {...common} type="time" step={60} value={text.slice(0, 5)} onChange={(event) => onChange(event.currentTarget.value || null)} />;
    case "file":
      return <FileField {...properties} />;
    case "array":
      return (
        <TagsInput
          {...common}
          value={Array.isArray(value) ? value.map(String) : []}
          onChange={(next) => onChange(["integer", "number"].includes(String(schema.items?.type)) ? next.map(Number) : next)}
          data={schema.items?.enum?.map(String) ?? []}
          {...(schema.maxItems === undefined ? {} : { maxTags: schema.maxItems })}
          splitChars={[",", ";"]}
        />
      );
    case "json":
      if (schema.properties) return <ObjectField {...properties} />;
      if (schema.items?.properties || schema.type === "array") return <ArrayField {...properties} />;
      return <FreeJson {...common} value={value} onChange={onChange} />;
  }
  if (schema.format === "richtext") return <MarkdownField {...properties} />;
  if (schema.format === "password") return <PasswordInput {...common} value={text} onChange={(event) => written(event.currentTarget.value)} autoComplete="new-password" />;
  if (schema.format === "color") return <ColorInput {...common} value={text} onChange={written} format="hex" withEyeDropper={false} />;
  const limit = schema.maxLength === undefined ? {} : { maxLength: schema.maxLength };
  if (more.size !== "xs" && schema.format === undefined && (schema.maxLength ?? 0) > LONG)
    return <Textarea {...common} {...limit} autosize minRows={3} maxRows={14} value={text} onChange={(event) => written(event.currentTarget.value)} />;
  const type = { email: "email", uri: "url" }[schema.format ?? ""] ?? "text";
  return <TextInput {...common} {...limit} type={type} inputMode={type === "url" ? "url" : undefined} value={text} onChange={(event) => written(event.currentTarget.value)} />;
}

/** An object without a form: JSON as text, taken over when it is whole. */
function FreeJson({ value, onChange, ...more }: Omit<InputProperties, "field" | "errorAt">) {
  const text = typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value, null, 2);
  const read = (next: string) => {
    if (next.trim() === "") return onChange(null);
    try {
      onChange(JSON.parse(next));
    } catch {
      onChange(next);
    }
  };
  return <JsonInput {...more} value={text} onChange={read} autosize minRows={3} maxRows={14} formatOnBlur styles={{ input: { fontFamily: "monospace" } }} />;
}
