/** Invoices as lines, each a way to the whole one and to its paper. */
import { ActionIcon, Anchor, Button, Group, Table } from "@mantine/core";
import { IconFileTypePdf, IconReceipt } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";
import { Empty } from "@/components/Empty";
import { addressOf } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Sheet } from "../parts/Sheet";
import { useInvoices } from "./data";
import { InvoiceState } from "./InvoiceState";

const PAGE = 50;

/** `filter` is a query of the API's grammar; without `tenants` all are of one. */
export function InvoiceList({ filter, tenants = true }: { filter: string; tenants?: boolean }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const [shown, setShown] = useState(PAGE);
  const query = useInvoices(filter, shown);
  const heads = [words.number, ...(tenants ? [t.tenants.slug] : []), words.state, words.issuedOn, words.dueOn, `> ${words.total}`, ""];
  return (
    <Asked query={query}>
      {(invoices) =>
        invoices.length === 0 ? (
          <Empty title={words.noInvoices} hint={words.noInvoicesHint} icon={<IconReceipt size={24} />} />
        ) : (
          <>
            <Sheet label={words.tabs.invoices} heads={heads}>
              {invoices.map((invoice) => (
                <Table.Tr key={invoice.id}>
                  <Table.Td>
                    <Anchor component={Link} to={`/billing/invoices/${invoice.id}`} fw={600}>
                      {invoice.number}
                    </Anchor>
                  </Table.Td>
                  {tenants && <Table.Td style={{ whiteSpace: "nowrap" }}>{invoice.slug}</Table.Td>}
                  <Table.Td>
                    <InvoiceState invoice={invoice} />
                  </Table.Td>
                  <Table.Td style={{ whiteSpace: "nowrap" }}>{format.day(invoice.issued_on)}</Table.Td>
                  <Table.Td style={{ whiteSpace: "nowrap" }}>{invoice.kind === "invoice" ? format.day(invoice.due_on) : "–"}</Table.Td>
                  <Table.Td className="numeric" ta="right" style={{ whiteSpace: "nowrap" }}>
                    {format.money(invoice.total, invoice.currency)}
                  </Table.Td>
                  <Table.Td w={44}>
                    <ActionIcon
                      component="a"
                      href={addressOf(`/invoices/${invoice.id}/pdf`)}
                      download
                      aria-label={words.pdfOf(invoice.number)}
                    >
                      <IconFileTypePdf size={18} aria-hidden />
                    </ActionIcon>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Sheet>
            {invoices.length >= shown && (
              <Group p="sm">
                <Button size="xs" variant="default" onClick={() => setShown(shown + PAGE)}>
                  {t.common.more}
                </Button>
              </Group>
            )}
          </>
        )
      }
    </Asked>
  );
}
