/** A migration while it runs: each step with its state, and what it waits for. */
import { Alert, Progress as Bar, Stack, Text } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import { State, type Tone } from "../parts/State";
import type { Migration } from "../tenants/data";
import classes from "./files.module.css";

const TONES: Record<Migration["steps"][number]["state"], Tone> = { waits: "idle", running: "info", done: "good", skipped: "warn", undone: "warn" };

/** Whether a migration still has something to do. */
export function isUnderWay(migration: Migration | null | undefined): migration is Migration {
  return migration?.state === "running" || migration?.state === "switched";
}

export function Progress({ migration }: { migration: Migration }) {
  const { t } = useI18n();
  const done = migration.steps.filter(({ state }) => state === "done" || state === "skipped").length;
  return (
    <Stack gap="xs" role="status">
      <Text size="sm" fw={600}>
        {t.files.migrating(done, migration.steps.length)}
      </Text>
      <Bar value={(100 * done) / Math.max(migration.steps.length, 1)} aria-label={t.files.migrating(done, migration.steps.length)} />
      {migration.waiting && <Alert color="yellow" variant="light">{t.files.waitsFor(migration.waiting)}</Alert>}
      <ol className={classes.steps}>
        {migration.steps.map((step, at) => (
          <li key={at} data-level={step.level}>
            <Text size="sm">{step.summary}</Text>
            <State tone={TONES[step.state]}>{t.files.stepStates[step.state]}</State>
          </li>
        ))}
      </ol>
    </Stack>
  );
}
