/** An error told to a person: what happened, what to do, and the number to name when asking for help. */
import { Alert, Button, Center, Code, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconPlugConnectedX } from "@tabler/icons-react";
import type { Problem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";

interface Properties {
  problem: Problem;
  onRetry?: () => void;
  /** Fills the page. */
  page?: boolean;
}

export function Trouble({ problem, onRetry, page }: Properties) {
  const { t } = useI18n();
  const told = (
    <Alert
      role="alert"
      color={problem.offline ? "yellow" : "red"}
      variant="light"
      icon={problem.offline ? <IconPlugConnectedX /> : <IconAlertTriangle />}
      title={problem.offline ? t.shell.offline : problem.title || t.shell.broken}
      maw={560}
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{problem.offline ? t.shell.offlineHint : problem.message}</Text>
        {problem.hint && (
          <Text size="sm" c="dimmed">
            {problem.hint}
          </Text>
        )}
        <Group gap="sm">
          {onRetry && (
            <Button size="xs" variant="default" onClick={onRetry}>
              {t.common.retry}
            </Button>
          )}
          {problem.requestId && <Code fz="xs">{problem.requestId}</Code>}
        </Group>
      </Stack>
    </Alert>
  );
  return page ? <Center p="lg" mih="60vh">{told}</Center> : told;
}
