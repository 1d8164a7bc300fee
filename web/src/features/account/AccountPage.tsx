/** One's own account: who one is, the ways in, second factor, sessions. */
import { Button, Group, PasswordInput, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link } from "react-router";
import { Page } from "@/components/Page";
import { useWays } from "@/features/auth/ways";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { useMe } from "@/lib/session/session";
import { Factors } from "./Factors";
import { Identities } from "./Identities";
import { ProvenForm } from "./ProvenForm";
import { Section } from "./Section";
import { SessionList } from "./SessionList";

export default function AccountPage() {
  const { t } = useI18n();
  const me = useMe();
  const { data: ways } = useWays();
  return (
    <Page title={t.account.title} hint={me.user?.email}>
      <Stack maw={720}>
        <Profile />
        {ways?.external["email"] && <Password least={ways.password_min_length} />}
        <Identities />
        {ways?.mfa_enabled && <Factors />}
        <Section title={t.account.sessions}>
          <SessionList queryKey={["sessions"]} path="/auth/v1/sessions" endOf={(id) => `/auth/v1/sessions/${id}`} endAll={{ path: "/auth/v1/logout?scope=others", method: "POST", label: t.account.endOthers, from: 2 }} none="" />
        </Section>
      </Stack>
    </Page>
  );
}

function Profile() {
  const { t } = useI18n();
  const me = useMe();
  const users = useSchema().entities["users"];
  return (
    <Section title={t.account.profile} hint={t.account.profileHint}>
      <ProvenForm
        read={(form) => ({ email: String(form.get("email")).trim(), redirect_to: `${location.origin}${boot.home}/account` })}
        onDone={({ email }) => notifications.show({ message: t.account.proveMail(email ?? ""), autoClose: 10_000 })}
      >
        {(error) => <TextInput flex={1} miw={200} label={t.auth.email} type="email" name="email" autoComplete="email" defaultValue={me.user?.email ?? ""} required withAsterisk={false} error={error} />}
      </ProvenForm>
      {users?.may.includes("update") && me.user && (
        <Group>
          <Button variant="default" component={Link} to={`/data/users/${encodeURIComponent(me.user.id)}/edit`}>
            {t.account.editProfile}
          </Button>
        </Group>
      )}
    </Section>
  );
}

function Password({ least }: { least: number }) {
  const { t } = useI18n();
  return (
    <Section title={t.account.changePassword} hint={t.account.changePasswordHint}>
      <ProvenForm read={(form) => ({ password: String(form.get("password")) })} onDone={() => notifications.show({ message: t.account.changed })}>
        {(error) => <PasswordInput flex={1} miw={200} label={t.account.newPassword} description={t.account.atLeast(least)} inputWrapperOrder={["label", "input", "description", "error"]} name="password" autoComplete="new-password" required withAsterisk={false} error={error} />}
      </ProvenForm>
    </Section>
  );
}
