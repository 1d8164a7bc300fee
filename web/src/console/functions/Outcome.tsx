/** How a run came out: result, what it said, and where it went wrong. */
import { Alert, Group, List, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useI18n } from "@/lib/i18n";
import { State } from "../parts/State";
import { OUTCOMES, type Result } from "./data";
import classes from "./functions.module.css";

export function Outcome({ result, file }: { result: Result; file: string }) {
  const { t, format } = useI18n();
  return (
    <section className={classes.result} aria-label={t.runs.result}>
      <Stack gap="sm">
        <Group gap="md" role="status">
          <State tone={OUTCOMES[result.outcome]}>{t.runs.outcomes[result.outcome]}</State>
          <Text size="xs" c="dimmed" className="numeric">
            {t.tenants.ms(format.number(Math.round(result.milliseconds * 10) / 10))}
          </Text>
        </Group>
        {result.error && (
          <Alert color={result.outcome === "rejected" ? "yellow" : "red"} variant="light" icon={<IconAlertTriangle />} title={result.line ? t.runs.at(file, result.line) : undefined}>
            <pre className={classes.output}>{result.error}</pre>
            {result.errors.length > 0 && (
              <List size="xs" mt="xs">
                {result.errors.map(({ pointer, detail }) => (
                  <List.Item key={pointer + detail}>
                    {pointer && <b>{pointer} </b>}
                    {detail}
                  </List.Item>
                ))}
              </List>
            )}
          </Alert>
        )}
        {"value" in result && <Block title={t.runs.value} text={JSON.stringify(result.value, null, 2)} />}
        {result.log.length > 0 && <Block title={t.runs.log} text={result.log.join("\n")} />}
      </Stack>
    </section>
  );
}

export function Block({ title, text }: { title: string; text: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed" fw={600} mb={4}>
        {title}
      </Text>
      <pre className={classes.output} role="region" aria-label={title} tabIndex={0}>
        {text}
      </pre>
    </div>
  );
}
