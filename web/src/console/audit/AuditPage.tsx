/** Everything the platform has on record, found by what was done and by whom. */
import { Button, Group, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDownload, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { Page } from "@/components/Page";
import { addressOf } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { Panel } from "../parts/Panel";
import { AuditList } from "./AuditList";

export default function AuditPage() {
  const { t } = useI18n();
  const [action, setAction] = useState("");
  const [who, setWho] = useState("");
  const [asked] = useDebouncedValue(`${action}\n${who}`, 250);
  const [what = "", by = ""] = asked.split("\n");
  const filter = [what && `action=ilike.${word(what)}`, by && `email=ilike.${word(by)}`].filter(Boolean).join("&");
  return (
    <Page
      title={t.audit.title}
      actions={
        <Button
          component="a"
          variant="default"
          href={addressOf(`/audit_log.csv?${filter && `${filter}&`}order=id.desc`)}
          download
          leftSection={<IconDownload size={16} aria-hidden />}
        >
          CSV
        </Button>
      }
    >
      <Group gap="sm">
        <TextInput
          value={action}
          onChange={(event) => setAction(event.currentTarget.value)}
          leftSection={<IconSearch size={16} aria-hidden />}
          placeholder={t.audit.findAction}
          aria-label={t.audit.findAction}
        />
        <TextInput value={who} onChange={(event) => setWho(event.currentTarget.value)} placeholder={t.audit.findWho} aria-label={t.audit.findWho} />
      </Group>
      <Panel flush>
        <AuditList filter={filter} />
      </Panel>
    </Page>
  );
}

function word(typed: string): string {
  return encodeURIComponent(`*${typed.replace(/[*,()"]/g, "")}*`);
}
