/** Asks for how long and why, then goes to the tenant's pages as that person. */
import { Button, Group, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { sayRefused } from "@/components/undo";
import type { Person } from "@/features/people/people";
import { useI18n } from "@/lib/i18n";
import { goAs } from "@/lib/session/standing";
import { call } from "../parts/act";

export function StandIn({ slug, who }: { slug: string; who: Person }) {
  const { t } = useI18n();
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState<number | string>(15);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await call("impersonate", { slug, user_id: who.id, reason, minutes: Number(minutes), cookie: true });
      goAs(slug); // nothing here is asked again: this browser is that person there now
    } catch (error) {
      setBusy(false);
      sayRefused(error);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="md">
        <Text size="sm">{t.standing.hint}</Text>
        <TextInput label={t.standing.reason} required value={reason} data-autofocus onChange={(event) => setReason(event.currentTarget.value)} />
        <NumberInput label={t.standing.minutes} min={1} max={60} allowDecimal={false} value={minutes} onChange={setMinutes} />
        <Group justify="flex-end">
          <Button type="submit" disabled={!reason.trim() || minutes === ""} loading={busy}>
            {t.standing.open}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
