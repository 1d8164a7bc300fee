/** One's own account: password, second factor, sessions. */
import { Badge, Button, Group, Modal, Paper, PasswordInput, Skeleton, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDeviceDesktop, IconShieldLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { Page } from "@/components/Page";
import { Trouble } from "@/components/Trouble";
import { removeFactor, useFactors } from "@/features/auth/factors";
import { NewFactor } from "@/features/auth/SecondFactor";
import { ask, get } from "@/lib/api/client";
import { asProblem, type Problem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";
import { useMe } from "@/lib/session/session";

export default function AccountPage() {
  const { t } = useI18n();
  const me = useMe();
  return (
    <Page title={t.account.title} hint={me.user?.email}>
      <Stack maw={720}>
        <Password />
        <Factors />
        <Sessions />
      </Stack>
    </Page>
  );
}

function Section({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  return (
    <Paper component="section" aria-label={title} withBorder radius="lg" p="lg" bd="1px solid var(--line)">
      <Stack>
        <div>
          <Title order={2}>{title}</Title>
          {hint && (
            <Text size="sm" c="dimmed">
              {hint}
            </Text>
          )}
        </div>
        {children}
      </Stack>
    </Paper>
  );
}

const refuse = (error: unknown) => notifications.show({ color: "red", title: asProblem(error).title, message: asProblem(error).message });

function Password() {
  const { t } = useI18n();
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setProblem(null);
    try {
      await ask("/auth/v1/user", { method: "PUT", body: { password: String(new FormData(form).get("password")) } });
      form.reset();
      notifications.show({ message: t.account.changed });
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return (
    <Section title={t.account.changePassword}>
      <form onSubmit={(event) => void submit(event)}>
        <Group align="flex-end">
          <PasswordInput flex={1} miw={200} label={t.account.newPassword} name="password" autoComplete="new-password" required withAsterisk={false} error={problem?.message} />
          <Button type="submit" variant="default">
            {t.common.save}
          </Button>
        </Group>
      </form>
    </Section>
  );
}

function Factors() {
  const { t, format } = useI18n();
  const [adding, setAdding] = useState(false);
  const { data } = useFactors();
  const again = () => void queries.invalidateQueries({ queryKey: ["factors"] });
  return (
    <Section title={t.account.factors} hint={t.account.factorsHint}>
      {data?.map((factor) => (
        <Group key={factor.id} justify="space-between">
          <Group gap="sm">
            <IconShieldLock size={20} aria-hidden />
            <Text size="sm">
              {factor.friendly_name || t.account.factor} <Text span c="dimmed">{t.account.since(format.moment(factor.created_at))}</Text>
            </Text>
          </Group>
          <Button size="xs" variant="default" onClick={() => void removeFactor(factor.id).then(again, refuse)}>
            {t.common.remove}
          </Button>
        </Group>
      ))}
      <Group>
        <Button variant="default" onClick={() => setAdding(true)}>
          {t.account.enrol}
        </Button>
      </Group>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t.account.enrol}>
        <NewFactor
          onDone={() => {
            setAdding(false);
            notifications.show({ message: t.account.factorAdded });
            again();
          }}
        />
      </Modal>
    </Section>
  );
}

interface Session {
  id: string;
  current: boolean;
  device: string | null;
  address: string | null;
  used_at: string;
}

function Sessions() {
  const { t, format } = useI18n();
  const { data, error, refetch } = useQuery({ queryKey: ["sessions"], queryFn: ({ signal }) => get<Session[]>("/auth/v1/sessions", signal) });
  const end = (path: string, method: "POST" | "DELETE") => void ask(path, { method }).then(() => refetch(), refuse);
  return (
    <Section title={t.account.sessions}>
      {data === undefined && (error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={80} />)}
      {data?.map((session) => (
        <Group key={session.id} justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <IconDeviceDesktop size={20} aria-hidden style={{ flex: "none" }} />
            <div style={{ minWidth: 0 }}>
              <Text size="sm" truncate>
                {deviceOf(session.device) || t.account.unknownDevice}
              </Text>
              <Text size="xs" c="dimmed">
                {session.address} · {t.account.lastUsed(format.ago(session.used_at))}
              </Text>
            </div>
          </Group>
          {session.current ? (
            <Badge variant="light" tt="none" flex="none">
              {t.account.thisOne}
            </Badge>
          ) : (
            <Button size="xs" variant="default" flex="none" onClick={() => end(`/auth/v1/sessions/${session.id}`, "DELETE")}>
              {t.account.endSession}
            </Button>
          )}
        </Group>
      ))}
      {(data?.length ?? 0) > 1 && (
        <Group>
          <Button variant="default" onClick={() => end("/auth/v1/logout?scope=others", "POST")}>
            {t.account.endOthers}
          </Button>
        </Group>
      )}
    </Section>
  );
}

/** "Chrome, Linux" of what a browser says about itself. */
function deviceOf(agent: string | null): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent ?? "")?.[1]?.replace("Edg", "Edge").replace("OPR", "Opera");
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent ?? "")?.[1];
  return [browser, system].filter(Boolean).join(", ") || (agent ?? "").slice(0, 60);
}
