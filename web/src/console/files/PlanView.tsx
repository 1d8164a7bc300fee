/** What a text would do to the tables: class, hazards, steps with lock, rows and SQL. */
import { Alert, Group, List, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useI18n } from "@/lib/i18n";
import { State, type Tone } from "../parts/State";
import classes from "./files.module.css";

export interface Plan {
  plan_id: string;
  base: number;
  version: number;
  level: number;
  summary: string[];
  hazards: { code: string; message: string; hint?: string | null }[];
  steps: { phase: string; level: number; summary: string; cause: string; lock: string | null; sql: string[] }[];
  tables?: Record<string, number>;
}

const RISK: Tone[] = ["good", "info", "warn", "bad"];

export function PlanView({ plan }: { plan: Plan }) {
  const { t, format } = useI18n();
  const tables = Object.entries(plan.tables ?? {});
  return (
    <Stack gap="md">
      <Group gap="md">
        <State tone={RISK[plan.level] ?? "bad"}>{t.files.levels[plan.level] ?? t.files.levels[3]!}</State>
        <Text size="sm" c="dimmed">
          {t.files.plan} {plan.plan_id}
        </Text>
      </Group>
      {plan.hazards.length > 0 && (
        <Alert color="yellow" variant="light" icon={<IconAlertTriangle />} title={t.files.toKnow}>
          <List size="sm" spacing={4}>
            {plan.hazards.map(({ code, message, hint }) => (
              <List.Item key={code + message}>
                {message}
                {hint && ` – ${hint}`}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      {tables.length > 0 && (
        <Text size="sm">
          {t.files.rows}: {tables.map(([name, rows]) => `${name} ${format.number(rows)}`).join(", ")}
        </Text>
      )}
      {plan.steps.length === 0 ? (
        <Text size="sm">{t.files.noSteps}</Text>
      ) : (
        <ol className={classes.steps}>
          {plan.steps.map((step, at) => (
            <li key={at} data-level={step.level}>
              <Text size="sm" fw={600}>
                {step.summary}
              </Text>
              <Text size="xs" c="dimmed">
                {[step.phase, step.cause, step.lock && t.files.lock(step.lock)].filter(Boolean).join(" · ")}
              </Text>
              {step.sql.length > 0 && (
                <pre className={classes.sql} tabIndex={0} aria-label={`SQL: ${step.summary}`}>
                  {step.sql.join(";\n")};
                </pre>
              )}
            </li>
          ))}
        </ol>
      )}
    </Stack>
  );
}
