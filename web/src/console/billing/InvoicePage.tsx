/** One invoice: its lines and sums, its papers, and what can still be done with it. */
import { Anchor, Button, Group, Stack, Table, Text } from "@mantine/core";
import { IconArrowLeft, IconFileTypeCsv, IconFileTypePdf } from "@tabler/icons-react";
import { Link, useParams } from "react-router";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { addressOf } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { safeLink } from "@/lib/links";
import { Asked } from "../parts/Asked";
import { Facts } from "../parts/Facts";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { useInvoice, type WholeInvoice } from "./data";
import { InvoiceActions } from "./InvoiceActions";
import { InvoiceState } from "./InvoiceState";
import classes from "./billing.module.css";

export default function InvoicePage() {
  const { id = "" } = useParams();
  const query = useInvoice(id);
  return <Asked query={query}>{(invoice) => (invoice ? <Whole invoice={invoice} /> : <NotFound />)}</Asked>;
}

function Whole({ invoice }: { invoice: WholeInvoice }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const note = invoice.kind === "credit_note";
  const customer = ["name", "address", "email", "tax_number"].map((part) => invoice.customer?.[part]).filter(Boolean).join(", ");
  return (
    <Page
      title={`${note ? words.creditNote : words.invoice} ${invoice.number}`}
      hint={<InvoiceState invoice={invoice} />}
      actions={
        <>
          <InvoiceActions invoice={invoice} />
          <Button component="a" variant="default" href={addressOf(`/invoices/${invoice.id}/csv`)} download leftSection={<IconFileTypeCsv size={18} aria-hidden />}>
            CSV
          </Button>
          <Button component="a" href={addressOf(`/invoices/${invoice.id}/pdf`)} download leftSection={<IconFileTypePdf size={18} aria-hidden />}>
            {words.pdf}
          </Button>
        </>
      }
    >
      <Anchor component={Link} to="/billing/invoices" size="sm">
        <Group gap={4} component="span" display="inline-flex">
          <IconArrowLeft size={14} aria-hidden /> {words.tabs.invoices}
        </Group>
      </Anchor>
      <Panel>
        <Facts
          of={[
            [t.tenants.slug, <Anchor key="slug" component={Link} to={`/tenants/${invoice.slug}/billing`} size="sm">{invoice.slug}</Anchor>],
            [words.customer, customer],
            [words.issuedOn, format.day(invoice.issued_on)],
            [words.dueOn, note ? "" : format.day(invoice.due_on)],
            [words.period, invoice.period_start && words.from(format.day(invoice.period_start), format.day(invoice.period_end ?? ""))],
            [words.paidAt, invoice.paid_at && format.moment(invoice.paid_at)],
            [words.reference, invoice.provider_reference],
            [words.reason, invoice.reason],
            ...(invoice.credits
              ? [[words.creditOf, <Anchor key="of" component={Link} to={`/billing/invoices/${invoice.credits.id}`} size="sm">{invoice.credits.number}</Anchor>] as [string, React.ReactNode]]
              : []),
            ...(invoice.payment_url
              ? [[words.payAt, <Anchor key="pay" href={safeLink(invoice.payment_url)} target="_blank" rel="noopener noreferrer" size="sm">{invoice.provider}</Anchor>] as [string, React.ReactNode]]
              : []),
          ]}
        />
      </Panel>
      <Panel flush title={words.lines}>
        <Sheet label={words.lines} heads={[words.description, `> ${words.quantity}`, `> ${words.price}`, `> ${words.amount}`]}>
          {invoice.lines.map((line, at) => (
            <Table.Tr key={at}>
              <Table.Td miw={220}>
                <Stack gap={0}>
                  <span>{line.description}</span>
                  <Text span size="xs" c="dimmed">
                    {words.lineKinds[line.kind] ?? line.kind} · {words.from(format.day(line.period_start), format.day(line.period_end))}
                  </Text>
                </Stack>
              </Table.Td>
              <Table.Td className="numeric" ta="right">{format.number(line.quantity)}</Table.Td>
              <Table.Td className="numeric" ta="right" style={{ whiteSpace: "nowrap" }}>{format.money(line.unit_price, invoice.currency)}</Table.Td>
              <Table.Td className="numeric" ta="right" style={{ whiteSpace: "nowrap" }}>{format.money(line.amount, invoice.currency)}</Table.Td>
            </Table.Tr>
          ))}
        </Sheet>
        <dl className={classes.sums}>
          <dt>{words.subtotal}</dt>
          <dd className="numeric">{format.money(invoice.subtotal, invoice.currency)}</dd>
          <dt>{words.tax(format.number(Math.round(invoice.tax_rate * 10_000) / 100))}</dt>
          <dd className="numeric">{format.money(invoice.tax, invoice.currency)}</dd>
          <dt className={classes.total}>{words.total}</dt>
          <dd className={`numeric ${classes.total}`}>{format.money(invoice.total, invoice.currency)}</dd>
        </dl>
      </Panel>
    </Page>
  );
}
