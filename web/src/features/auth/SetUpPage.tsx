/** The first administrator, by the link that the first start prints. */
import { Alert, Button, PasswordInput, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ask } from "@/lib/api/client";
import { asProblem, type Problem } from "@/lib/api/problem";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";
import { Door } from "./Door";
import { Gone } from "./LinkPage";
import { useWays } from "./ways";

export default function SetUpPage({ token }: { token: string }) {
  const { data, error } = useQuery({
    queryKey: ["link"],
    queryFn: async () => (await ask<object>("/auth/v1/verify/look", { method: "POST", body: { token_hash: token } })).data,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  return <Door>{data ? <Form token={token} /> : error ? <Gone /> : <Skeleton h={180} />}</Door>;
}

function Form({ token }: { token: string }) {
  const { t } = useI18n();
  const { data: ways } = useWays();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      await ask("/auth/v1/setup", { method: "POST", body: { token, email: String(form.get("email")).trim(), password: String(form.get("password")), cookie: true } });
      location.replace(`${boot.home}/`);
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  const ofPassword = problem?.code === "weak_password" ? problem.message : undefined;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Title order={1}>{t.link.setUp}</Title>
        <Text size="sm">{t.link.setUpHint}</Text>
        {problem && !ofPassword && (
          <Alert color="red" icon={<IconAlertCircle />} role="alert" title={t.auth.failed}>
            {problem.offline ? t.shell.offlineHint : problem.message}
          </Alert>
        )}
        <TextInput label={t.auth.email} type="email" name="email" autoComplete="username" required withAsterisk={false} data-autofocus />
        <PasswordInput
          label={t.auth.password}
          name="password"
          autoComplete="new-password"
          description={ways && t.account.atLeast(ways.password_min_length)}
          inputWrapperOrder={["label", "input", "description", "error"]}
          error={ofPassword}
          required
          withAsterisk={false}
        />
        <Button type="submit" size="md" fullWidth loading={busy}>
          {t.link.becomeAdmin}
        </Button>
      </Stack>
    </form>
  );
}
