/** The parameters of a report: an input each; what is chosen stands in the address, so that it can be sent on. */
import { Button, Group, Paper } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconRotate } from "@tabler/icons-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { FieldInput } from "@/components/inputs/FieldInput";
import type { FieldError } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import type { Report } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import { fieldOf } from "./report";
import classes from "./Report.module.css";

interface Properties {
  report: Report;
  /** What the report was made with, defaults included. */
  values: Record<string, unknown>;
  errors: FieldError[];
}

/** Milliseconds until what is typed is asked for. */
const PAUSE = 400;

export function Parameters({ report, values, errors }: Properties) {
  const { t, language } = useI18n();
  const schema = useSchema();
  const [address, setAddress] = useSearchParams();
  const [typed, setTyped] = useState<Record<string, unknown>>({});
  const names = Object.keys(report.params);
  const apply = useDebouncedCallback((next: Record<string, unknown>) => {
    setAddress(
      (before) => {
        const asked = new URLSearchParams(before);
        for (const [name, value] of Object.entries(next)) asked.set(name, textOf(value));
        return asked;
      },
      { replace: true },
    );
  }, PAUSE);
  const change = (name: string, value: unknown) => {
    const next = { ...typed, [name]: value };
    setTyped(next);
    apply(next);
  };
  const reset = () => {
    setTyped({});
    setAddress(new URLSearchParams(), { replace: true });
  };
  if (names.length === 0) return null;
  return (
    <Paper component="section" aria-label={t.reports.parameters} withBorder radius="lg" p="md" className={classes.paper}>
      <div className={classes.parameters}>
        {names.map((name) => {
          const field = fieldOf(schema, name, report.params[name]!, language);
          const error = errors.find(({ pointer }) => pointer === `/${name}` || pointer.startsWith(`/${name}/`));
          return (
            <div key={name} className={classes.parameter}>
              <FieldInput
                field={field}
                label={fieldTitle(field, language)}
                description={report.params[name]!.description}
                value={name in typed ? typed[name] : (values[name] ?? null)}
                onChange={(value) => change(name, value)}
                error={error?.detail}
              />
            </div>
          );
        })}
        {[...address.keys()].length > 0 && (
          <Group className={classes.reset}>
            <Button variant="subtle" color="gray" leftSection={<IconRotate size={16} aria-hidden />} onClick={reset}>
              {t.reports.reset}
            </Button>
          </Group>
        )}
      </div>
    </Paper>
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(",") : String(value);
}
