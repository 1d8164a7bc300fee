/** Everything that waits for the agreement of somebody like me, over all entities. */
import { Badge, Button, Group, Paper, Skeleton, Stack, Text } from "@mantine/core";
import { IconInbox } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { Link } from "react-router";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { Trouble } from "@/components/Trouble";
import { get, here } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { labelOf, type Row } from "@/lib/rows/columns";
import { useSchema } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { entityTitle, titleOf, valueTitle } from "@/lib/schema/words";
import classes from "./InboxPage.module.css";
import { approvalsOf } from "./approvals";
import { useMove } from "./move";

const MOST = 50;
const EVERY = 15_000;

interface Waiting extends Row {
  capabilities?: { transitions?: string[] };
}

export default function InboxPage() {
  const { t } = useI18n();
  const schema = useSchema();
  const asked = Object.values(schema.entities).filter((entity) => approvalsOf(entity).length > 0);
  const found = useQueries({
    queries: asked.map((entity) => {
      const ways = approvalsOf(entity);
      const sources = [...new Set(ways.flatMap((name) => entity.workflow!.transitions[name]!.sources))];
      const select = [...new Set([entity.key, entity.workflow!.field, ...(entity.label ? [entity.label] : [])])];
      return {
        queryKey: ["rows", entity.name, "inbox", schema.version],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          get<Waiting[]>(`/${entity.name}?select=${select.join(",")}&${entity.workflow!.field}=in.(${sources.join(",")})&order=${entity.key}&limit=${MOST}&capabilities=true`, signal),
        refetchInterval: EVERY,
      };
    }),
  });
  const failed = found.find((query) => query.error && query.data === undefined);
  const waiting = asked.flatMap((entity, at) =>
    (found[at]?.data ?? [])
      .map((row) => ({ entity, row, ways: approvalsOf(entity).filter((name) => row.capabilities?.transitions?.includes(name)) }))
      .filter(({ ways }) => ways.length > 0),
  );
  return (
    <Page title={t.flow.inbox} hint={t.flow.inboxHint}>
      {failed && <Trouble problem={asProblem(failed.error)} onRetry={() => void failed.refetch()} />}
      {found.some((query) => query.isPending) ? (
        <Stack gap="xs">
          {[0, 1, 2, 3].map((at) => (
            <Skeleton key={at} h={60} radius="lg" />
          ))}
        </Stack>
      ) : waiting.length === 0 ? (
        <Empty title={t.flow.inboxEmpty} hint={t.flow.inboxEmptyHint} icon={<IconInbox size={24} />} />
      ) : (
        <Stack gap="xs" component="ul" p={0} m={0}>
          {waiting.map(({ entity, row, ways }) => (
            <Item key={`${entity.name} ${String(row[entity.key])}`} entity={entity} row={row} ways={ways} />
          ))}
        </Stack>
      )}
    </Page>
  );
}

function Item({ entity, row, ways }: { entity: Entity; row: Row; ways: string[] }) {
  const { language } = useI18n();
  const move = useMove(entity);
  const id = String(row[entity.key]);
  const { field, transitions } = entity.workflow!;
  return (
    <Paper component="li" withBorder radius="lg" className={classes.item}>
      <div className={classes.what}>
        <Text component={Link} to={here(`/data/${entity.name}/${encodeURIComponent(id)}`)} fw={600} truncate className={classes.link!}>
          {labelOf(row, entity)}
        </Text>
        <Group gap="xs">
          <Text size="sm" c="dimmed">
            {entityTitle(entity, language)}
          </Text>
          <Badge variant="default" radius="sm" tt="none" fw={500}>
            {valueTitle(entity.fields[field], String(row[field]), language)}
          </Badge>
        </Group>
      </div>
      <Group gap="xs">
        {ways.map((name, at) => (
          <Button key={name} size="xs" variant={at === 0 ? "filled" : "default"} onClick={() => void move(id, name)}>
            {titleOf(transitions[name]!.title, name, language)}
          </Button>
        ))}
      </Group>
    </Paper>
  );
}
