/**
 * Where the links of mails lead: an invitation or a forgotten password ends with a password, every other link with a
 * button. Looking at a link uses nothing; the button does, because scanners of mail look first.
 */
import { Alert, Button, PasswordInput, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconAlertCircle, IconLinkOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Trouble } from "@/components/Trouble";
import { ask, keepCsrf } from "@/lib/api/client";
import { asProblem, type Problem } from "@/lib/api/problem";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";
import type { MailedLink } from "@/lib/session/link";
import { refreshMe, useMeQuery } from "@/lib/session/session";
import { Door } from "./Door";
import { SecondFactor } from "./SecondFactor";
import { useWays } from "./ways";

interface Looked {
  type: "signup" | "invite" | "magiclink" | "recovery" | "email_change";
  email: string;
  application: boolean;
}

const HOME = `${boot.home}/`;

export default function LinkPage({ link }: { link: MailedLink }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["link"],
    queryFn: async () => (await ask<Looked>("/auth/v1/verify/look", { method: "POST", body: { token_hash: link.token } })).data,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const problem = error ? asProblem(error) : null;
  return (
    <Door>
      {data ? <Use link={link} looked={data} /> : problem === null ? <Skeleton h={180} /> : problem.offline ? <Trouble problem={problem} onRetry={() => void refetch()} /> : <Gone />}
    </Door>
  );
}

export function Gone() {
  const { t } = useI18n();
  return (
    <Stack>
      <Title order={1}>{t.link.gone}</Title>
      <Alert color="yellow" icon={<IconLinkOff />} role="alert">
        {t.link.goneHint}
      </Alert>
      <Button component="a" href={HOME} variant="default">
        {t.auth.signIn}
      </Button>
    </Stack>
  );
}

function Use({ link, looked }: { link: MailedLink; looked: Looked }) {
  const { t } = useI18n();
  const { data: ways } = useWays();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  /** Where to go once the link was used; the password may still be missing. */
  const [there, setThere] = useState("");
  const [password, setPassword] = useState("");
  const { data: me } = useMeQuery();
  const asks = !looked.application && (looked.type === "invite" || looked.type === "recovery") && ways?.external["email"] === true;
  const needsFactor = there !== "" && me?.mfa.enrolled === true && me.aal !== "aal2";

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      let target = there;
      if (target === "") {
        const { data } = await ask<{ redirect_to: string; csrf_token?: string }>("/auth/v1/verify", { method: "POST", body: { type: looked.type, token_hash: link.token, cookie: true } });
        target = data.redirect_to;
        if (data.csrf_token) {
          keepCsrf(data.csrf_token);
          setThere(target);
          await refreshMe();
        }
      }
      if (asks) await ask("/auth/v1/user", { method: "PUT", body: { password } });
      location.replace(target);
    } catch (error) {
      const refusal = asProblem(error);
      if (refusal.code !== "insufficient_aal") setProblem(refusal);
      setBusy(false);
    }
  };

  if (ways === undefined) return <Skeleton h={180} />;
  if (needsFactor)
    return (
      <Stack>
        <Title order={1}>{t.account.secondStep}</Title>
        <SecondFactor />
      </Stack>
    );
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Title order={1}>{t.link.titles[looked.type]}</Title>
        <Text size="sm">{asks ? t.link.choose : t.link.press}</Text>
        {problem && !(asks && there) && (
          <Alert color="red" icon={<IconAlertCircle />} role="alert" title={t.auth.failed}>
            {problem.offline ? t.shell.offlineHint : problem.message}
          </Alert>
        )}
        <Text size="sm" fw={550}>
          {looked.email}
        </Text>
        {asks && (
          <>
            {/* so that password managers know whose password it is */}
            <input type="text" name="username" autoComplete="username" value={looked.email} readOnly hidden />
            <PasswordInput
              label={t.account.newPassword}
              name="password"
              autoComplete="new-password"
              description={t.account.atLeast(ways.password_min_length)}
              inputWrapperOrder={["label", "input", "description", "error"]}
              minLength={ways.password_min_length}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              error={problem && there ? problem.message : undefined}
              required
              withAsterisk={false}
              data-autofocus
            />
          </>
        )}
        <Button type="submit" size="md" fullWidth loading={busy}>
          {asks ? t.link.setPassword : t.account.confirmCode}
        </Button>
      </Stack>
    </form>
  );
}
