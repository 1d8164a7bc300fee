/** A code of one's authenticator; who has none yet adds one first. */
import { Alert, Button, Code, Group, PinInput, Skeleton, Stack, Text } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { beginFactor, proveFactor, useFactors } from "./factors";

/** At sign-in: the factor there is, else a new one. */
export function SecondFactor() {
  const { t } = useI18n();
  const { data } = useFactors();
  if (data === undefined) return <Skeleton h={120} />;
  const [factor] = data;
  return factor ? (
    <Stack>
      <Text size="sm">{t.account.secondHint}</Text>
      <CodeForm factor={factor.id} />
    </Stack>
  ) : (
    <Stack>
      <Text size="sm">{t.account.enrolNeeded}</Text>
      <NewFactor />
    </Stack>
  );
}

export function NewFactor({ onDone }: { onDone?: () => void }) {
  const { t } = useI18n();
  const { data, error } = useQuery({ queryKey: ["factors", "new"], queryFn: beginFactor, staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false });
  if (data === undefined) return error ? <Text c="var(--mantine-color-error)">{asProblem(error).message}</Text> : <Skeleton h={260} />;
  return (
    <Stack>
      <Text size="sm">{t.account.enrolHint}</Text>
      <img src={data.totp.qr_code} alt="" width={180} height={180} style={{ background: "#fff", borderRadius: 8, alignSelf: "center" }} />
      <Text size="xs" c="dimmed">
        {t.account.secret}: <Code>{data.totp.secret}</Code>
      </Text>
      <CodeForm factor={data.id} {...(onDone ? { onDone } : {})} />
    </Stack>
  );
}

function CodeForm({ factor, onDone }: { factor: string; onDone?: () => void }) {
  const { t } = useI18n();
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState("");
  const prove = async (digits: string) => {
    setBusy(true);
    setRefused("");
    try {
      await proveFactor(factor, digits);
      onDone?.();
    } catch (error) {
      setRefused(asProblem(error).message);
      setCode("");
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void prove(code);
      }}
    >
      <Stack>
        {refused && (
          <Alert color="red" icon={<IconAlertCircle />} role="alert">
            {refused}
          </Alert>
        )}
        <Group justify="center">
          <PinInput length={6} type="number" oneTimeCode value={code} onChange={setCode} aria-label={t.account.code} getInputProps={() => ({ "aria-label": t.account.code })} disabled={busy} autoFocus />
        </Group>
        <Button type="submit" fullWidth loading={busy} disabled={code.length !== 6}>
          {t.account.confirmCode}
        </Button>
      </Stack>
    </form>
  );
}
