/** A tile that could not be filled: why, and another try; the others are not affected. */
import { Button, Stack, Text } from "@mantine/core";
import type { Problem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";

export function TileTrouble({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  const { t } = useI18n();
  return (
    <Stack role="alert" gap="xs" align="flex-start">
      <Text size="sm" c="var(--mantine-color-error)">
        {problem.offline ? t.shell.offlineHint : problem.message}
      </Text>
      <Button size="compact-sm" variant="default" onClick={onRetry}>
        {t.common.retry}
      </Button>
    </Stack>
  );
}

export function TileEmpty() {
  const { t } = useI18n();
  return (
    <Stack gap={2} align="center" justify="center" ta="center" mih={140}>
      <Text size="sm" fw={600}>
        {t.figures.noData}
      </Text>
      <Text size="sm" c="dimmed">
        {t.figures.noDataHint}
      </Text>
    </Stack>
  );
}
