/** What becomes of an invoice: paid, taken back, or credited in part or whole; each asks before it does. */
import { Button, Group, Menu, Modal, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import { call, useAct } from "../parts/act";
import type { WholeInvoice } from "./data";

type Act = "settle" | "void" | "credit";

export function InvoiceActions({ invoice }: { invoice: WholeInvoice }) {
  const words = useI18n().t.billing;
  const [act, choose] = useState<Act | null>(null);
  const may: Act[] =
    invoice.kind === "credit_note" ? (invoice.status === "open" ? ["settle"] : [])
    : invoice.status === "open" ? ["settle", "credit", "void"]
    : invoice.status === "paid" ? ["credit"]
    : [];
  if (may.length === 0) return null;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />}>
            {words.actions}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {may.map((name) => (
            <Menu.Item key={name} onClick={() => choose(name)} color={name === "void" ? "red" : undefined}>
              {words.acts[name]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {act && <Ask act={act} invoice={invoice} onClose={() => choose(null)} />}
    </>
  );
}

function Ask({ act, invoice, onClose }: { act: Act; invoice: WholeInvoice; onClose: () => void }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const [said, say] = useState("");
  const [amount, setAmount] = useState<string | number>(""); // "11.90" stays a text
  const done = useAct(
    () => {
      const about = { invoice: invoice.number };
      if (act === "settle") return call("settle_invoice", { ...about, reference: said });
      if (act === "void") return call("void_invoice", { ...about, reason: said });
      return call("credit_invoice", { ...about, reason: said, ...(amount !== "" && { amount: String(amount) }) });
    },
    words.actsDone[act],
    onClose,
  );
  return (
    <Modal opened onClose={onClose} title={`${words.acts[act]}: ${invoice.number}`} closeButtonProps={{ "aria-label": t.common.close }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          done.mutate(undefined);
        }}
      >
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            {words.actsHint[act]}
          </Text>
          {act === "credit" && (
            <NumberInput
              label={words.amountCredited}
              description={words.amountHint(format.money(invoice.total, invoice.currency))}
              value={amount}
              onChange={setAmount}
              min={0.01}
              max={invoice.total}
              decimalScale={2}
              hideControls
              data-autofocus
            />
          )}
          <TextInput
            label={act === "settle" ? words.reference : words.reason}
            description={t.common.optional}
            value={said}
            onChange={(event) => say(event.currentTarget.value)}
            maxLength={act === "settle" ? 200 : 300}
            {...(act !== "credit" && { "data-autofocus": true })}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t.common.cancel}
            </Button>
            <Button type="submit" loading={done.isPending} {...(act === "void" && { color: "red" })}>
              {words.acts[act]}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
