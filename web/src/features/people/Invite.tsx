/** Asks somebody in: their address and what they will be here. */
import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState, type FormEvent } from "react";
import { asProblem, type Problem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { readable } from "@/lib/schema/words";
import { invite, useRoles } from "./people";

export function Invite({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Modal opened={opened} onClose={onClose} title={t.people.invite}>
      <InviteForm onDone={onClose} />
    </Modal>
  );
}

function InviteForm({ onDone }: { onDone: () => void }) {
  const { t } = useI18n();
  const given = useRoles().filter(({ mine }) => mine);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const email = String(form.get("email")).trim();
    setBusy(true);
    setProblem(null);
    try {
      await invite(email, String(form.get("role")));
      notifications.show({ message: t.people.invited(email) });
      onDone();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const ofRole = problem?.errors.some(({ pointer }) => pointer === "/role") ? problem.message : undefined;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Text size="sm" c="dimmed">
          {t.people.inviteHint}
        </Text>
        <TextInput type="email" name="email" label={t.auth.email} autoComplete="off" required withAsterisk={false} data-autofocus error={problem && !ofRole ? (problem.offline ? t.shell.offlineHint : problem.message) : undefined} />
        <NativeSelect name="role" label={t.people.role} data={given.map(({ name }) => ({ value: name, label: readable(name) }))} error={ofRole} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={busy}>
            {t.people.send}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
