/** Name and address of a tenant. */
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { ask } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { useAct } from "../parts/act";
import { Panel } from "../parts/Panel";
import type { Row } from "./data";

export default function SettingsTab({ tenant }: { tenant: Row }) {
  const { t } = useI18n();
  const [name, setName] = useState(tenant.name ?? "");
  const [domain, setDomain] = useState(tenant.domain ?? "");
  const save = useAct(
    () => ask(`/tenants?slug=eq.${tenant.slug}`, { method: "PATCH", body: { name: name || null, domain: domain || null } }),
    t.common.saved,
  );
  return (
    <Panel>
      <Stack gap="md" maw={440}>
        <TextInput label={t.tenants.name} value={name} maxLength={120} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput
          label={t.tenants.domain}
          description={t.tenants.domainHint}
          value={domain}
          onChange={(event) => setDomain(event.currentTarget.value.toLowerCase())}
        />
        <Group>
          <Button loading={save.isPending} onClick={() => save.mutate(undefined)}>
            {t.common.save}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}
