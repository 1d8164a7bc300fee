/** What a query answers: its outline while it comes, its trouble, else what is made of it. */
import { Box, Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";

export function Asked<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  const { t } = useI18n();
  if (query.data !== undefined) return children(query.data);
  if (query.error)
    return (
      <Box p="sm">
        <Trouble problem={asProblem(query.error)} onRetry={() => void query.refetch()} />
      </Box>
    );
  return (
    <Stack gap="sm" role="status" aria-label={t.common.loading} p="md">
      {[92, 78, 85].map((width) => (
        <Skeleton key={width} h={16} w={`${width}%`} />
      ))}
    </Stack>
  );
}
