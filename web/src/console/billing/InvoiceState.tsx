/** An invoice's state in a word: overdue is one of them, and a credit note says what it is. */
import { useI18n } from "@/lib/i18n";
import { State } from "../parts/State";
import { overdue, TONES, type Invoice } from "./data";

export function InvoiceState({ invoice }: { invoice: Invoice }) {
  const words = useI18n().t.billing;
  const late = overdue(invoice);
  const state = late ? words.overdue : words.status[invoice.status];
  return <State tone={late ? "bad" : TONES[invoice.status]}>{invoice.kind === "credit_note" ? `${words.creditNote}, ${state}` : state}</State>;
}
