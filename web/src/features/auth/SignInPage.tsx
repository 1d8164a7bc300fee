/** The way in for both faces: who one is, then the second factor where there has to be one. */
import { Alert, Button, Stack, Text, Title } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { useI18n } from "@/lib/i18n";
import { signOut, type Me } from "@/lib/session/session";
import { Door } from "./Door";
import { SecondFactor } from "./SecondFactor";
import { SignInForms } from "./SignInForms";

export default function SignInPage({ me, refused }: { me: Me; refused?: string }) {
  const { t } = useI18n();
  return (
    <Door name={me.tenant.title}>
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
    </Door>
  );
}
