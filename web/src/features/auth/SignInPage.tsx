/** The way in for both faces: who one is, then the second factor where there has to be one. */
import { Alert, Button, Paper, Stack, Text, Title } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { Brand } from "@/components/Brand";
import { Preferences } from "@/components/Preferences";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";
import { signOut, type Me } from "@/lib/session/session";
import { SecondFactor } from "./SecondFactor";
import { SignInForms } from "./SignInForms";
import classes from "./SignInPage.module.css";

export default function SignInPage({ me, refused }: { me: Me; refused?: string }) {
  const { t, say } = useI18n();
  return (
    <div className={classes.page}>
      <main className={classes.main}>
        <Stack gap="lg">
          <Brand name={say(boot.title, me.tenant.title || boot.slug)} large />
          <Paper withBorder p="xl" radius="lg" shadow="xs">
            {me.user ? (
              <Stack>
                <Title order={1}>{refused ? t.auth.signIn : t.account.secondStep}</Title>
                {refused ? (
                  <Alert color="yellow" icon={<IconAlertCircle />} role="alert">
                    {refused}
                  </Alert>
                ) : (
                  <SecondFactor />
                )}
                <Text size="sm" c="dimmed">
                  {me.user.email}
                </Text>
                <Button variant="default" onClick={() => void signOut()}>
                  {t.shell.signOut}
                </Button>
              </Stack>
            ) : (
              <SignInForms />
            )}
          </Paper>
          <Preferences />
        </Stack>
      </main>
    </div>
  );
}
