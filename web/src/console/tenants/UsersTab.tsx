/** A tenant's own accounts: invite one, stand in for one. */
import { Button, Group, Modal, NumberInput, Stack, Table, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { call, useAct } from "../parts/act";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { askTenant } from "../parts/tenant";
import { holdSession, type Opened } from "./standing";
import type { Row } from "./data";

interface Account {
  id: string;
  email: string;
  role: string;
  last_sign_in_at: string | null;
}

export default function UsersTab({ tenant }: { tenant: Row }) {
  const { t, format } = useI18n();
  const { slug } = tenant;
  const [inviting, invite] = useState(false);
  const [who, standIn] = useState<Account | null>(null);
  const query = useQuery({
    queryKey: ["users", slug],
    queryFn: () => askTenant<{ users: Account[] }>(slug, "/auth/v1/admin/users?per_page=200").then(({ users }) => users),
  });
  return (
    <Panel flush title={t.tenants.tabs.users} actions={<Button size="xs" onClick={() => invite(true)}>{t.tenants.invite}</Button>}>
      <Asked query={query}>
        {(users) =>
          users.length === 0 ? (
            <Empty title={t.tenants.noUsers} hint={t.tenants.noUsersHint} />
          ) : (
            <Sheet label={t.tenants.tabs.users} heads={[t.tenants.email, t.tenants.role, t.tenants.lastSignIn, ""]}>
              {users.map((user) => (
                <Table.Tr key={user.id}>
                  <Table.Td>{user.email}</Table.Td>
                  <Table.Td>{user.role}</Table.Td>
                  <Table.Td>{user.last_sign_in_at ? format.ago(user.last_sign_in_at) : t.tenants.never}</Table.Td>
                  <Table.Td ta="right">
                    <Button size="compact-xs" variant="default" onClick={() => standIn(user)}>
                      {t.tenants.standIn}
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Sheet>
          )
        }
      </Asked>
      <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={inviting} onClose={() => invite(false)} title={t.tenants.invite}>
        <Invite slug={slug} done={() => invite(false)} />
      </Modal>
      <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={who !== null} onClose={() => standIn(null)} title={who && t.tenants.standInTitle(who.email)}>
        {who && <StandIn slug={slug} who={who} done={() => standIn(null)} />}
      </Modal>
    </Panel>
  );
}

function Invite({ slug, done }: { slug: string; done: () => void }) {
  const { t } = useI18n();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("admin");
  const act = useAct(() => call("invite_member", { slug, email, role }), t.tenants.invited, done);
  return (
    <Stack gap="md">
      <TextInput type="email" label={t.tenants.email} value={email} data-autofocus onChange={(event) => setEmail(event.currentTarget.value)} />
      <TextInput label={t.tenants.role} value={role} onChange={(event) => setRole(event.currentTarget.value)} />
      <Group justify="flex-end">
        <Button disabled={!email || !role} loading={act.isPending} onClick={() => act.mutate(undefined)}>
          {t.tenants.invite}
        </Button>
      </Group>
    </Stack>
  );
}

function StandIn({ slug, who, done }: { slug: string; who: Account; done: () => void }) {
  const { t } = useI18n();
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState<number | string>(15);
  const act = useAct(
    () => call<Opened>("impersonate", { slug, user_id: who.id, reason, minutes: Number(minutes) }),
    t.tenants.banner(who.email, slug),
    (opened) => {
      holdSession({ slug, email: who.email, token: opened.access_token, ends: opened.expires_at });
      done();
    },
  );
  return (
    <Stack gap="md">
      <Text size="sm">{t.tenants.standInHint}</Text>
      <TextInput label={t.tenants.reason} required value={reason} data-autofocus onChange={(event) => setReason(event.currentTarget.value)} />
      <NumberInput label={t.tenants.minutes} min={1} max={60} allowDecimal={false} value={minutes} onChange={setMinutes} />
      <Group justify="flex-end">
        <Button disabled={!reason.trim() || minutes === ""} loading={act.isPending} onClick={() => act.mutate(undefined)}>
          {t.tenants.standInOpen}
        </Button>
      </Group>
    </Stack>
  );
}
