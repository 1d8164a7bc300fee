/** One kind of rows on the start page: how many there are, the way to them, and to a new one. */
import { Button, Group, Paper, Skeleton, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { useI18n } from "@/lib/i18n";
import { countOf } from "@/lib/rows/count";
import { useSchema } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { entityTitle } from "@/lib/schema/words";
import classes from "./EntityCard.module.css";

export function EntityCard({ entity }: { entity: Entity }) {
  const { t, language, format } = useI18n();
  const { version } = useSchema();
  const title = entityTitle(entity, language);
  const count = useQuery({ queryKey: ["count", version, entity.name], queryFn: ({ signal }) => countOf(entity, signal), enabled: entity.may.includes("read") });
  return (
    <Paper withBorder p="md" className={classes.card}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Text fw={600} component={Link} to={`/data/${entity.name}`} className={classes.way}>
          {title}
        </Text>
        {entity.may.includes("create") && (
          <Button
            component={Link}
            to={`/data/${entity.name}/new`}
            size="compact-sm"
            variant="subtle"
            className={classes.above}
            leftSection={<IconPlus size={14} aria-hidden />}
            aria-label={`${t.table.create}: ${title}`}
          >
            {t.table.create}
          </Button>
        )}
      </Group>
      <Text fz={28} fw={650} lh={1.3} mt="xs" component="div" className="numeric" ta="left">
        {count.isLoading ? <Skeleton h={28} my={4} w={56} /> : count.data === undefined ? "–" : format.number(count.data)}
      </Text>
      {entity.description && (
        <Text size="sm" c="dimmed" lineClamp={2}>
          {entity.description}
        </Text>
      )}
    </Paper>
  );
}
