/** Every invoice, found by state, kind and tenant. */
import { Button, Group, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDownload, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { addressOf } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { Panel } from "../parts/Panel";
import { STATUSES } from "./data";
import { InvoiceList } from "./InvoiceList";

export default function InvoicesTab() {
  const { t } = useI18n();
  const words = t.billing;
  const [status, setStatus] = useState("");
  const [kind, setKind] = useState("");
  const [typed, setTyped] = useState("");
  const [found] = useDebouncedValue(typed.replace(/[*,()"]/g, ""), 250);
  const today = new Date().toISOString().slice(0, 10);
  const filter = [
    status === "overdue" ? `status=eq.open&kind=eq.invoice&due_on=lt.${today}` : status && `status=eq.${status}`,
    status !== "overdue" && kind && `kind=eq.${kind}`,
    found && `or=(slug.ilike.*${encodeURIComponent(found)}*,number.ilike.*${encodeURIComponent(found)}*)`,
  ]
    .filter(Boolean)
    .join("&");
  return (
    <>
      <Group gap="sm" mb="md">
        <TextInput
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          leftSection={<IconSearch size={16} aria-hidden />}
          placeholder={words.find}
          aria-label={words.find}
        />
        <NativeSelect
          aria-label={words.state}
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value)}
          data={[
            { value: "", label: words.anyState },
            ...STATUSES.map((value) => ({ value, label: words.status[value] })),
            { value: "overdue", label: words.overdue },
          ]}
        />
        <NativeSelect
          aria-label={words.kind}
          value={kind}
          disabled={status === "overdue"}
          onChange={(event) => setKind(event.currentTarget.value)}
          data={[
            { value: "", label: words.anyKind },
            { value: "invoice", label: words.invoice },
            { value: "credit_note", label: words.creditNote },
          ]}
        />
        <Button
          ml="auto"
          component="a"
          variant="default"
          href={addressOf(`/invoices.csv?${filter && `${filter}&`}order=series.desc`)}
          download
          leftSection={<IconDownload size={16} aria-hidden />}
        >
          CSV
        </Button>
      </Group>
      <Panel flush>
        <InvoiceList filter={filter} />
      </Panel>
    </>
  );
}
