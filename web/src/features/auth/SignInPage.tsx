/** Address and password; the way in for both faces. */
import { Alert, Anchor, Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertCircle } from "@tabler/icons-react";
import { useState } from "react";
import { asProblem, type Problem } from "@/lib/api/problem";
import { addressOf } from "@/lib/api/client";
import { boot } from "@/lib/boot";
import { Brand } from "@/components/Brand";
import { Preferences } from "@/components/Preferences";
import { useI18n } from "@/lib/i18n";
import { signIn, signOut, type Me } from "@/lib/session/session";
import classes from "./SignInPage.module.css";

export default function SignInPage({ me, refused }: { me: Me; refused?: string }) {
  const { t, say } = useI18n();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({ mode: "uncontrolled", initialValues: { email: "", password: "" } });
  const name = say(boot.title, me.tenant.title || boot.slug);

  const submit = form.onSubmit(async ({ email, password }) => {
    setBusy(true);
    setProblem(null);
    try {
      await signIn(email.trim(), password);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  });

  const told = (found: Problem) =>
    found.offline ? t.shell.offlineHint : found.status === 429 ? t.auth.slow : found.status === 400 ? t.auth.wrong : found.message;

  return (
    <div className={classes.page}>
      <main className={classes.main}>
        <Stack gap="lg">
          <Brand name={name} large />
          <Paper withBorder p="xl" radius="lg" shadow="xs">
            {refused && me.user ? (
              <Stack>
                <Title order={1}>{t.auth.signIn}</Title>
                <Alert color="yellow" icon={<IconAlertCircle />} role="alert">
                  {refused}
                </Alert>
                <Text size="sm" c="dimmed">
                  {me.user.email}
                </Text>
                <Button variant="default" onClick={() => void signOut()}>
                  {t.shell.signOut}
                </Button>
              </Stack>
            ) : (
              <form onSubmit={submit}>
                <Stack>
                  <Title order={1}>{t.auth.signIn}</Title>
                  {problem && (
                    <Alert color="red" icon={<IconAlertCircle />} role="alert" title={t.auth.failed}>
                      {told(problem)}
                    </Alert>
                  )}
                  <TextInput
                    key={form.key("email")}
                    label={t.auth.email}
                    type="email"
                    name="email"
                    autoComplete="username"
                    required
                    withAsterisk={false}
                    data-autofocus
                    {...form.getInputProps("email")}
                  />
                  <PasswordInput
                    key={form.key("password")}
                    label={t.auth.password}
                    name="password"
                    autoComplete="current-password"
                    required
                    withAsterisk={false}
                    {...form.getInputProps("password")}
                  />
                  <Button type="submit" loading={busy} size="md" fullWidth>
                    {t.auth.signIn}
                  </Button>
                  <Anchor href={addressOf("/auth/v1/password")} size="sm">
                    {t.auth.forgot}
                  </Anchor>
                </Stack>
              </form>
            )}
          </Paper>
          <Preferences />
        </Stack>
      </main>
    </div>
  );
}
