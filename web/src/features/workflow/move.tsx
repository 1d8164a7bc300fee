/** Transitions as people make them: asked back where the file says so, told what came of it. */
import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { ask } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";
import { changed } from "@/lib/rows/rows";
import type { Entity } from "@/lib/schema/types";
import { titleOf, valueTitle } from "@/lib/schema/words";

interface Approved {
  approvals: number;
  quorum: number;
}

/** Return a function that moves a row and says whether the server did it; refusals are told with their reason. */
export function useMove(entity: Entity) {
  const { t, language } = useI18n();
  const workflow = entity.workflow!;
  return async (id: string, name: string): Promise<boolean> => {
    const way = workflow.transitions[name]!;
    let comment: string | undefined;
    if (way.confirm || way.comment === "required") {
      const said = await askBack(titleOf(way.title, name, language), way.comment === "required");
      if (said === null) return false;
      comment = said;
    }
    try {
      const { data, status } = await ask<Approved | undefined>(`/${entity.name}/${encodeURIComponent(id)}/transitions/${name}`, {
        method: "POST",
        body: comment ? { comment } : {},
      });
      const agreed = status === 202 && data !== undefined;
      notifications.show({
        message: agreed ? t.flow.agreed(data.approvals, data.quorum) : t.flow.done(valueTitle(entity.fields[workflow.field], way.target, language)),
      });
      return !agreed;
    } catch (error) {
      const { message, hint } = asProblem(error);
      notifications.show({ color: "red", title: t.flow.refused, message: hint ? `${message} – ${hint}` : message, autoClose: 8000 });
      return false;
    } finally {
      changed(entity.name);
      void queries.invalidateQueries({ queryKey: ["transitions", entity.name] });
    }
  };
}

/** Ask for a comment, or whether one is sure; null is a no. */
function askBack(title: string, needed: boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const id = modals.open({
      title,
      onClose: () => resolve(null),
      children: (
        <Question
          action={title}
          needed={needed}
          onAnswer={(said) => {
            resolve(said);
            modals.close(id);
          }}
        />
      ),
    });
  });
}

function Question({ action, needed, onAnswer }: { action: string; needed: boolean; onAnswer: (said: string | null) => void }) {
  const { t } = useI18n();
  const [comment, setComment] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onAnswer(comment.trim());
      }}
    >
      <Stack>
        {!needed && <Text size="sm">{t.flow.sureHint}</Text>}
        <Textarea
          label={t.flow.comment}
          description={needed ? t.flow.commentNeeded : t.common.optional}
          required={needed}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          autosize
          minRows={2}
          maxRows={8}
          maxLength={2000}
          data-autofocus
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={() => onAnswer(null)}>
            {t.common.cancel}
          </Button>
          <Button type="submit">{action}</Button>
        </Group>
      </Stack>
    </form>
  );
}
