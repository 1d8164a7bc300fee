/** The outline of a page that is on its way. */
import { Box, Group, Skeleton, Stack } from "@mantine/core";
import { useI18n } from "@/lib/i18n";

export function Opening() {
  const { t } = useI18n();
  return (
    <Box role="status" aria-label={t.common.loading} p="lg" maw={960}>
      <Stack gap="lg">
        <Group justify="space-between">
          <Skeleton h={26} w={180} />
          <Skeleton h={32} w={110} />
        </Group>
        <Stack gap="sm">
          {Array.from({ length: 8 }, (_, row) => (
            <Skeleton key={row} h={20} w={`${96 - ((row * 17) % 30)}%`} />
          ))}
        </Stack>
      </Stack>
    </Box>
  );
}
