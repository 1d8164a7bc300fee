/** One person, for admins: their role, where they are signed in, keeping them out, removing them. */
import { Button, Drawer, Group, Modal, NativeSelect, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState, type ReactNode } from "react";
import { sayRefused, sayWithUndo } from "@/components/undo";
import { SessionList } from "@/features/account/SessionList";
import { useI18n } from "@/lib/i18n";
import { readable } from "@/lib/schema/words";
import { useMe } from "@/lib/session/session";
import { StateMark } from "./StateMark";
import { again, allow, giveRole, invite, removePerson, sessionsOf, stateOf, usePerson, useRoles, type Person } from "./people";

interface Properties {
  person: Person | null;
  onClose: () => void;
  more: ((person: Person) => ReactNode) | undefined;
}

export function PersonDrawer({ person, onClose, more }: Properties) {
  return (
    <Drawer opened={person !== null} onClose={onClose} position="right" size="md" title={person?.email}>
      {person && (
        <Stack gap="xl">
          {more?.(person)}
          <OnePerson key={person.id} known={person} onGone={onClose} />
        </Stack>
      )}
    </Drawer>
  );
}

function OnePerson({ known, onGone }: { known: Person; onGone: () => void }) {
  const { t, format } = useI18n();
  const { data: person } = usePerson(known.id, known);
  const own = useMe().user?.id === person.id;
  const state = stateOf(person);
  return (
    <Stack gap="xl">
      <Group justify="space-between">
        <StateMark person={person} />
        <Text size="sm" c="dimmed">
          {t.people.lastSeen}: {person.last_sign_in_at ? format.ago(person.last_sign_in_at) : t.people.never}
        </Text>
      </Group>
      <Role person={person} />
      {state === "pending" ? <Pending person={person} /> : <Sessions person={person} />}
      {!own && (
        <Part title={t.people.access} hint={t.people.deactivateHint}>
          <Group gap="xs">
            <Access person={person} />
            <Remove person={person} onGone={onGone} />
          </Group>
        </Part>
      )}
    </Stack>
  );
}

function Part({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  return (
    <Stack gap="sm" component="section" aria-label={title}>
      <div>
        <Title order={3}>{title}</Title>
        {hint && (
          <Text size="sm" c="dimmed">
            {hint}
          </Text>
        )}
      </div>
      {children}
    </Stack>
  );
}

function Role({ person }: { person: Person }) {
  const { t } = useI18n();
  const roles = useRoles();
  const [refused, setRefused] = useState("");
  const above = roles.some(({ name, mine }) => name === person.role && !mine);
  const give = async (role: string) => {
    const before = person.role;
    setRefused("");
    try {
      await giveRole(person.id, role);
      sayWithUndo(t.people.isNow(person.email, readable(role)), t.common.undo, () => giveRole(person.id, before));
    } catch (error) {
      setRefused(error instanceof Error ? error.message : "");
    }
  };
  return (
    <NativeSelect
      label={t.people.role}
      description={above ? t.people.above : undefined}
      value={person.role}
      disabled={above}
      error={refused}
      onChange={(event) => void give(event.currentTarget.value)}
      data={roles.map(({ name, mine }) => ({ value: name, label: readable(name), disabled: !mine }))}
    />
  );
}

function Sessions({ person }: { person: Person }) {
  const { t } = useI18n();
  const path = sessionsOf(person.id);
  return (
    <Part title={t.people.sessions}>
      <SessionList queryKey={["people", person.id, "sessions"]} path={path} endOf={(id) => `${path}?session=${id}`} endAll={{ path, method: "DELETE", label: t.people.signOut, from: 1 }} none={t.people.noSessions} />
    </Part>
  );
}

function Pending({ person }: { person: Person }) {
  const { t } = useI18n();
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    try {
      await invite(person.email, person.role);
      notifications.show({ message: t.people.invited(person.email) });
    } catch (error) {
      sayRefused(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Part title={t.people.states.pending} hint={t.people.pendingHint}>
      <Group>
        <Button variant="default" loading={busy} onClick={() => void send()}>
          {t.people.sendAgain}
        </Button>
      </Group>
    </Part>
  );
}

function Access({ person }: { person: Person }) {
  const { t } = useI18n();
  const on = stateOf(person) !== "banned";
  const change = async () => {
    try {
      await allow(person.id, !on);
      const told = on ? t.people.isOff(person.email) : t.people.isOn(person.email);
      sayWithUndo(told, t.common.undo, () => allow(person.id, on));
    } catch (error) {
      sayRefused(error);
    }
  };
  return (
    <Button variant="default" onClick={() => void change()}>
      {on ? t.people.deactivate : t.people.activate}
    </Button>
  );
}

function Remove({ person, onGone }: { person: Person; onGone: () => void }) {
  const { t } = useI18n();
  const [asked, ask] = useState(false);
  const [typed, setTyped] = useState("");
  const remove = async () => {
    try {
      await removePerson(person.id);
      onGone();
      notifications.show({ message: t.people.removed(person.email) });
      await again();
    } catch (error) {
      ask(false);
      sayRefused(error);
    }
  };
  return (
    <>
      <Button variant="subtle" color="red" c="var(--mantine-color-error)" onClick={() => ask(true)}>
        {t.people.remove}
      </Button>
      <Modal opened={asked} onClose={() => ask(false)} title={t.people.removeSure(person.email)}>
        <Stack>
          <Text size="sm">{t.people.removeHint}</Text>
          <TextInput label={t.people.typeToRemove(person.email)} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} autoComplete="off" data-autofocus />
          <Group justify="flex-end">
            <Button variant="default" onClick={() => ask(false)}>
              {t.common.cancel}
            </Button>
            <Button color="red" disabled={typed.trim().toLowerCase() !== person.email.toLowerCase()} onClick={() => void remove()}>
              {t.people.remove}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
