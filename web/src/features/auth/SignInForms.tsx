/** The ways into a tenant: password, another provider, a new account, a forgotten password. */
import { Alert, Anchor, Button, Divider, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconAlertCircle, IconMailCheck } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { addressOf, ask } from "@/lib/api/client";
import { asProblem, type Problem } from "@/lib/api/problem";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";
import { readable } from "@/lib/schema/words";
import { signIn, signUp } from "@/lib/session/session";
import { providersOf, useWays } from "./ways";

type Mode = "in" | "up" | "reset";

export function SignInForms() {
  const { t, say } = useI18n();
  const [mode, setMode] = useState<Mode>("in");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [mailed, setMailed] = useState("");
  const { data: ways } = useWays();
  const providers = providersOf(ways);
  const home = `${location.origin}${boot.home}/`;

  const go = (next: Mode) => {
    setMode(next);
    setProblem(null);
    setMailed("");
  };
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const email = String(form.get("email")).trim();
    const password = String(form.get("password") ?? "");
    setBusy(true);
    setProblem(null);
    try {
      if (mode === "reset") {
        await ask("/auth/v1/recover", { method: "POST", body: { email, redirect_to: home } });
        setMailed(email);
      } else if (mode === "up") {
        if (!(await signUp(email, password, home))) setMailed(email);
      } else await signIn(email, password);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const told = (found: Problem) =>
    found.offline ? t.shell.offlineHint : found.status === 429 ? t.auth.slow : mode === "in" && found.status === 400 ? t.auth.wrong : found.message;

  if (mailed)
    return (
      <Stack>
        <Title order={1}>{t.account.sent}</Title>
        <Alert color="teal" icon={<IconMailCheck />} role="status">
          {t.account.sentHint(mailed)}
        </Alert>
        <Button variant="default" onClick={() => go("in")}>
          {t.auth.signIn}
        </Button>
      </Stack>
    );
  const title = { in: t.auth.signIn, up: t.account.signUp, reset: t.account.reset }[mode];
  return (
    <form onSubmit={(event) => void submit(event)} key={mode}>
      <Stack>
        <Title order={1}>{title}</Title>
        {mode === "reset" && <Text size="sm">{t.account.resetHint}</Text>}
        {problem && (
          <Alert color="red" icon={<IconAlertCircle />} role="alert" title={t.auth.failed}>
            {told(problem)}
          </Alert>
        )}
        <TextInput label={t.auth.email} type="email" name="email" autoComplete="username" required withAsterisk={false} data-autofocus />
        {mode !== "reset" && (
          <PasswordInput
            label={t.auth.password}
            name="password"
            autoComplete={mode === "up" ? "new-password" : "current-password"}
            description={mode === "up" && ways ? t.account.atLeast(ways.password_min_length) : undefined}
            required
            withAsterisk={false}
          />
        )}
        <Button type="submit" loading={busy} size="md" fullWidth>
          {mode === "reset" ? t.account.sendLink : title}
        </Button>
        {mode !== "reset" && providers.length > 0 && (
          <>
            <Divider label={t.account.or} />
            {providers.map((name) => (
              <Button key={name} component="a" variant="default" fullWidth href={addressOf(`/auth/v1/authorize?provider=${encodeURIComponent(name)}&redirect_to=${encodeURIComponent(home)}`)}>
                {t.account.with(say(ways?.titles[name], readable(name)))}
              </Button>
            ))}
          </>
        )}
        {mode === "in" && (
          <Anchor component="button" type="button" size="sm" ta="start" onClick={() => go("reset")}>
            {t.auth.forgot}
          </Anchor>
        )}
        {mode === "in" && ways && !ways.disable_signup && boot.face === "tenant" && (
          <Anchor component="button" type="button" size="sm" ta="start" onClick={() => go("up")}>
            {t.account.signUpInstead}
          </Anchor>
        )}
        {mode !== "in" && (
          <Anchor component="button" type="button" size="sm" ta="start" onClick={() => go("in")}>
            {t.account.signInInstead}
          </Anchor>
        )}
      </Stack>
    </form>
  );
}
