/** People of the platform who belong to a tenant, and those who were asked: role, removing, asking somebody. */
import { Button, Group, Modal, NativeSelect, Stack, Table, Text, TextInput } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Empty } from "@/components/Empty";
import { useRoles } from "@/features/people/people";
import { ask, get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { readable } from "@/lib/schema/words";
import { call, useAct } from "../parts/act";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import type { Row } from "./data";

interface Membership {
  id: string;
  role: string;
  created_at: string;
  user: { email: string; name: string | null };
}

interface Invitation {
  id: string;
  email: string;
  role: string;
  created_at: string;
}

export function Members({ tenant }: { tenant: Row }) {
  const { t } = useI18n();
  const [inviting, invite] = useState(false);
  const query = useQuery({
    queryKey: ["members", tenant.id],
    queryFn: async ({ signal }) => {
      const [members, invited] = await Promise.all([
        get<Membership[]>(`/memberships?tenant_id=eq.${tenant.id}&select=id,role,created_at,user:users(email,name)&order=created_at,id&limit=1000`, signal),
        get<Invitation[]>(`/invitations?tenant_id=eq.${tenant.id}&select=id,email,role,created_at&order=created_at,id&limit=1000`, signal),
      ]);
      return { members, invited };
    },
  });
  return (
    <Panel flush title={t.members.title} hint={t.members.hint} actions={<Button size="xs" onClick={() => invite(true)}>{t.members.invite}</Button>}>
      <Asked query={query}>
        {({ members, invited }) =>
          members.length + invited.length === 0 ? (
            <Empty title={t.members.none} hint={t.members.noneHint} />
          ) : (
            <Sheet label={t.members.title} heads={[t.people.person, t.people.role, t.people.state, ""]}>
              {members.map((member) => (
                <Member key={member.id} member={member} />
              ))}
              {invited.map((one) => (
                <Invited key={one.id} invitation={one} />
              ))}
            </Sheet>
          )
        }
      </Asked>
      <Modal opened={inviting} onClose={() => invite(false)} title={t.members.invite}>
        <Invite slug={tenant.slug} done={() => invite(false)} />
      </Modal>
    </Panel>
  );
}

function Member({ member: { id, role, user } }: { member: Membership }) {
  const { t } = useI18n();
  const names = useRoles().map(({ name }) => name);
  const give = useAct((next: string) => ask(`/memberships?id=eq.${id}`, { method: "PATCH", body: { role: next } }), t.members.changed(user.email));
  const remove = useAct(() => ask(`/memberships?id=eq.${id}`, { method: "DELETE" }), t.members.removed(user.email));
  const sure = () =>
    modals.openConfirmModal({
      title: t.members.removeSure(user.email),
      children: <Text size="sm">{t.members.removeHint}</Text>,
      labels: { confirm: t.members.remove, cancel: t.common.cancel },
      confirmProps: { color: "red" },
      onConfirm: () => remove.mutate(undefined),
    });
  // a role the file has no more is shown, not hidden
  const choices = names.includes(role) ? names : [role, ...names];
  return (
    <Table.Tr>
      <Table.Td>
        {user.email}
        {user.name && (
          <Text size="xs" c="dimmed">
            {user.name}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <NativeSelect
          size="xs"
          w={150}
          aria-label={t.members.roleOf(user.email)}
          value={role}
          disabled={give.isPending}
          onChange={(event) => give.mutate(event.currentTarget.value)}
          data={choices.map((name) => ({ value: name, label: readable(name) }))}
        />
      </Table.Td>
      <Table.Td>
        <State tone="good">{t.people.states.active}</State>
      </Table.Td>
      <Table.Td ta="right">
        <Button size="compact-xs" variant="default" loading={remove.isPending} onClick={sure}>
          {t.members.remove}
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}

function Invited({ invitation: { id, email, role } }: { invitation: Invitation }) {
  const { t } = useI18n();
  const withdraw = useAct(() => ask(`/invitations?id=eq.${id}`, { method: "DELETE" }), t.members.withdrawn(email));
  return (
    <Table.Tr>
      <Table.Td>{email}</Table.Td>
      <Table.Td>{readable(role)}</Table.Td>
      <Table.Td>
        <State tone="warn">{t.people.states.pending}</State>
      </Table.Td>
      <Table.Td ta="right">
        <Button size="compact-xs" variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate(undefined)}>
          {t.members.withdraw}
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}

function Invite({ slug, done }: { slug: string; done: () => void }) {
  const { t } = useI18n();
  const names = useRoles().map(({ name }) => name);
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("admin");
  const act = useAct(() => call("invite_member", { slug, email: email.trim(), role }), t.tenants.invited, done);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate(undefined);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {t.members.inviteHint}
        </Text>
        <TextInput type="email" label={t.tenants.email} value={email} required withAsterisk={false} data-autofocus onChange={(event) => setEmail(event.currentTarget.value)} />
        <NativeSelect label={t.tenants.role} value={role} data={names.map((name) => ({ value: name, label: readable(name) }))} onChange={(event) => setRole(event.currentTarget.value)} />
        <Group justify="flex-end">
          <Button type="submit" disabled={!email.trim()} loading={act.isPending}>
            {t.people.send}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
