/** Changes one thing of one's account; where the session is old, a mailed code proves who one is. */
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent, type ReactNode } from "react";
import { ask } from "@/lib/api/client";
import { asProblem, type Problem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";

interface Properties {
  /** The body of the change, read from the form. */
  read: (form: FormData) => Record<string, string>;
  onDone: (body: Record<string, string>) => void;
  /** The input; `error` stands beside it. */
  children: (error: string | undefined) => ReactNode;
}

export function ProvenForm({ read, onDone, children }: Properties) {
  const { t } = useI18n();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [mailed, setMailed] = useState(false);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const nonce = String(data.get("nonce") ?? "").trim();
    setBusy(true);
    setProblem(null);
    try {
      const body = read(data);
      await ask("/auth/v1/user", { method: "PUT", body: nonce ? { ...body, nonce } : body });
      form.reset();
      setMailed(false);
      onDone(body);
    } catch (error) {
      const refusal = asProblem(error);
      if (refusal.code === "reauthentication_needed" && !mailed) {
        await ask("/auth/v1/reauthenticate", { method: "POST", body: {} }).then(() => setMailed(true), (failed: unknown) => setProblem(asProblem(failed)));
      } else setProblem(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Group align="flex-start">
          {children(problem ? (problem.offline ? t.shell.offlineHint : problem.message) : undefined)}
          <Button type="submit" variant="default" loading={busy} mt={22}>
            {t.common.save}
          </Button>
        </Group>
        {mailed && <TextInput name="nonce" label={t.account.mailedCode} description={t.account.mailedCodeHint} autoComplete="one-time-code" inputMode="numeric" required withAsterisk={false} autoFocus maw={320} />}
      </Stack>
    </form>
  );
}
