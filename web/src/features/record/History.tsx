/** What a row was: its versions, who made them, what each changed, and the way back. */
import { Button, Group, Skeleton, Stack, Text, Timeline } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { IconHistory, IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Trouble } from "@/components/Trouble";
import { Value } from "@/components/values/Value";
import { ask } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";
import { changed } from "@/lib/rows/rows";
import type { Entity } from "@/lib/schema/types";
import { fieldTitle } from "@/lib/schema/words";
import type { RowProperties } from "./tabs";

interface Version {
  version: number;
  at: string;
  operation: string;
  user_id: string | null;
  email: string | null;
  function: string | null;
  changes: Record<string, { old: unknown; new: unknown }> | null;
}

const ICONS: Record<string, typeof IconPencil> = { create: IconPlus, update: IconPencil, delete: IconTrash };

export function HistoryPanel({ entity, id, etag }: RowProperties) {
  const { t, format } = useI18n();
  const path = `/${entity.name}/${encodeURIComponent(id)}/history`;
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["history", entity.name, id, etag],
    initialPageParam: "",
    queryFn: async ({ pageParam, signal }) => {
      const answer = await ask<Version[]>(path + (pageParam && `?after=${encodeURIComponent(pageParam)}`), { signal });
      return { versions: answer.data, next: answer.headers.get("Next-Cursor") };
    },
    getNextPageParam: (page) => page.next,
  });
  if (error) return <Trouble problem={asProblem(error)} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton h={120} />;
  const versions = data.pages.flatMap((page) => page.versions);

  const revert = (version: number) =>
    modals.openConfirmModal({
      title: t.history.revertAsk(version),
      children: <Text size="sm">{t.history.revertHint}</Text>,
      labels: { confirm: t.history.revert, cancel: t.common.cancel },
      onConfirm: () =>
        void ask(`${path}/${version}/revert`, { method: "POST", headers: { "If-Match": etag } }).then(
          () => {
            notifications.show({ message: t.history.reverted });
            changed(entity.name);
            void queries.invalidateQueries({ queryKey: ["history", entity.name, id] });
          },
          (problem: unknown) => notifications.show({ color: "red", title: asProblem(problem).title, message: asProblem(problem).message }),
        ),
    });

  return (
    <Stack w="100%">
      <Timeline bulletSize={26} lineWidth={1} color="gray">
        {versions.map((each, at) => {
          const Icon = ICONS[each.operation] ?? IconHistory;
          return (
            <Timeline.Item key={each.version} bullet={<Icon size={14} aria-hidden />}>
              <Group gap="xs" justify="space-between">
                <Text size="sm">
                  <b>{t.history.operations[each.operation] ?? each.operation}</b> · {each.email ?? each.function ?? t.history.somebody} ·{" "}
                  <time dateTime={each.at} title={format.moment(each.at)}>
                    {format.ago(each.at)}
                  </time>
                </Text>
                {at > 0 && entity.may.includes("update") && (
                  <Button size="compact-xs" variant="subtle" color="gray" onClick={() => revert(each.version)} aria-label={`${t.history.revert}: ${t.history.version(each.version)}`}>
                    {t.history.revert}
                  </Button>
                )}
              </Group>
              {each.operation === "update" && <Changes entity={entity} changes={each.changes ?? {}} />}
            </Timeline.Item>
          );
        })}
      </Timeline>
      {hasNextPage && (
        <Button variant="default" size="xs" w="fit-content" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t.history.older}
        </Button>
      )}
    </Stack>
  );
}

function Changes({ entity, changes }: { entity: Entity; changes: NonNullable<Version["changes"]> }) {
  const { language } = useI18n();
  return (
    <Stack gap={2} mt={4}>
      {Object.entries(changes).map(([name, { old, new: now }]) => {
        const field = entity.fields[name];
        if (field === undefined || field.generated === "managed") return null;
        return (
          <Group key={name} gap={6} fz="sm">
            <Text span c="dimmed" size="sm">
              {fieldTitle(field, language)}
            </Text>
            <Value field={field} value={old} entity={entity} />
            <span aria-hidden>→</span>
            <Value field={field} value={now} entity={entity} />
          </Group>
        );
      })}
    </Stack>
  );
}
