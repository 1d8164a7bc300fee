/** Comments on a row, newest first, below a field to write one. */
import { ActionIcon, Button, Group, Paper, Skeleton, Stack, Text, Textarea } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconTrash } from "@tabler/icons-react";
import { lazy, Suspense, useState, type KeyboardEvent } from "react";
import { Trouble } from "@/components/Trouble";
import { sayRefused } from "@/components/undo";
import type { RowProperties } from "@/features/record/tabs";
import { useNames } from "@/features/workflow/transitions";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { useMe } from "@/lib/session/session";
import { keptAs } from "@/lib/within";
import { drafts, sayAbout, takeBack, useComments, type Comment } from "./comments";

const Markdown = lazy(async () => ({ default: (await import("@/components/Markdown")).Markdown }));
const MOST = 10_000;

export function CommentsPanel({ entity, id }: RowProperties) {
  const { t } = useI18n();
  const me = useMe();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useComments(entity.name, id);
  const all = data?.pages.flatMap((page) => page.comments) ?? [];
  const nameOf = useNames(all.map((one) => one.user_id));
  if (data === undefined) return error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={120} />;
  const who = (one: Comment) => (one.user_id !== null && one.user_id === me.user?.id ? t.comments.me : (nameOf(one.user_id) ?? one.email ?? t.history.somebody));
  return (
    <Stack w="100%" maw={760}>
      {me.user && <Writing entity={entity.name} id={id} />}
      {all.length === 0 && (
        <Text size="sm" c="dimmed">
          {t.comments.none}
        </Text>
      )}
      {all.map((one) => (
        <Said key={one.id} comment={one} who={who(one)} onDelete={() => takeBack(entity.name, id, one.id)} />
      ))}
      {hasNextPage && (
        <Button variant="default" size="xs" w="fit-content" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t.history.older}
        </Button>
      )}
    </Stack>
  );
}

function Writing({ entity, id }: { entity: string; id: string }) {
  const { t } = useI18n();
  const draft = keptAs(`${entity}/${id}`);
  const [text, setText] = useState(drafts.get(draft) ?? "");
  const [sending, setSending] = useState(false);
  const write = (next: string) => {
    setText(next);
    if (next === "") drafts.delete(draft);
    else drafts.set(draft, next);
  };
  const send = () => {
    if (text.trim() === "" || sending) return;
    setSending(true);
    sayAbout(entity, id, text)
      .then(() => write(""), sayRefused)
      .finally(() => setSending(false));
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  };
  return (
    <Stack gap="xs">
      <Textarea
        aria-label={t.comments.placeholder}
        placeholder={t.comments.placeholder}
        value={text}
        onChange={(event) => write(event.currentTarget.value)}
        onKeyDown={onKey}
        readOnly={sending}
        autosize
        minRows={2}
        maxRows={12}
        maxLength={MOST}
      />
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Text size="xs" c="dimmed">
          {t.comments.hint}
        </Text>
        <Button size="xs" flex="none" onClick={send} loading={sending} disabled={text.trim() === ""}>
          {t.comments.send}
        </Button>
      </Group>
    </Stack>
  );
}

function Said({ comment, who, onDelete }: { comment: Comment; who: string; onDelete: () => Promise<void> }) {
  const { t, format } = useI18n();
  const remove = () =>
    modals.openConfirmModal({
      title: t.comments.deleteAsk,
      children: <Text size="sm">{t.comments.deleteHint}</Text>,
      labels: { confirm: t.common.delete, cancel: t.common.cancel },
      confirmProps: { color: "red" },
      onConfirm: () => void onDelete().catch(sayRefused),
    });
  return (
    <Paper component="article" withBorder px="md" py="sm" radius="md" bd="1px solid var(--line)">
      <Group justify="space-between" wrap="nowrap" mih={28}>
        <Text size="sm">
          <b>{who}</b>{" "}
          <Text span size="xs" c="dimmed">
            ·{" "}
            <time dateTime={comment.at} title={format.moment(comment.at)}>
              {format.ago(comment.at)}
            </time>
          </Text>
        </Text>
        {comment.may_delete && (
          <ActionIcon size={28} variant="subtle" color="gray" aria-label={t.comments.delete(who)} onClick={remove}>
            <IconTrash size={15} aria-hidden />
          </ActionIcon>
        )}
      </Group>
      <Suspense fallback={<Text size="sm">{comment.text}</Text>}>
        <Markdown text={comment.text} />
      </Suspense>
    </Paper>
  );
}
