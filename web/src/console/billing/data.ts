/** Plans, subscriptions and invoices as the platform has them. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { get } from "@/lib/api/client";
import { call } from "../parts/act";
import type { Tone } from "../parts/State";

export interface Plan {
  name: string;
  title: string;
  description: string | null;
  price: number;
  currency: string;
  trial_days: number;
  overage: Record<string, { per: number; price: string }> | null;
  retired: boolean;
  [quota: `max_${string}`]: number | null;
}

export interface Subscription {
  id: string;
  status: "trialing" | "active" | "past_due" | "cancelled";
  period_start: string;
  period_end: string;
  trial_end: string | null;
  cancel_at_end: boolean;
  provider: string;
  tax_rate: number | null;
  customer_name: string | null;
  customer_email: string | null;
  tenant: { slug: string; name: string | null };
  plan: { name: string; title: string; price: number; currency: string };
}

export type InvoiceStatus = "open" | "paid" | "void" | "credited" | "refunded";

export interface Invoice {
  id: string;
  number: string;
  slug: string;
  kind: "invoice" | "credit_note";
  status: InvoiceStatus;
  currency: string;
  total: number;
  issued_on: string;
  due_on: string;
}

export interface Line {
  kind: string;
  description: string;
  quantity: number;
  unit_price: number;
  amount: number;
  period_start: string;
  period_end: string;
}

export interface WholeInvoice extends Invoice {
  subtotal: number;
  tax_rate: number;
  tax: number;
  period_start: string | null;
  period_end: string | null;
  paid_at: string | null;
  provider: string;
  provider_reference: string | null;
  payment_url: string | null;
  reason: string | null;
  customer: Record<string, string> | null;
  credits: { number: string; id: string } | null;
  lines: Line[];
}

export interface Quota {
  used: number;
  limit: number;
  share: number;
  /** More is charged for, not refused. */
  metered: boolean;
}

export interface Preview {
  plan: string;
  status: string;
  period_end: string;
  trial_end: string | null;
  currency: string;
  tax_rate: string;
  subtotal: string;
  lines: { kind: string; description: string; amount: string; invoiced: boolean }[];
}

export const QUOTAS = ["requests", "rows", "storage", "users", "entities", "functions", "rate", "connections"] as const;
export const STATUSES: InvoiceStatus[] = ["open", "paid", "void", "credited", "refunded"];
export const TONES: Record<InvoiceStatus, Tone> = { open: "info", paid: "good", void: "idle", credited: "idle", refunded: "idle" };
export const STANDING: Record<Subscription["status"], Tone> = { trialing: "info", active: "good", past_due: "bad", cancelled: "idle" };

const SUBSCRIPTION =
  "id,status,period_start,period_end,trial_end,cancel_at_end,provider,tax_rate,customer_name,customer_email," +
  "tenant:tenants!inner(slug,name),plan:plans(name,title,price,currency)";
const INVOICE = "id,number,slug,kind,status,currency,total,issued_on,due_on";
const LIVE = { refetchInterval: 5000 } as const;

export function usePlans() {
  return useQuery({ queryKey: ["plans"], ...LIVE, queryFn: ({ signal }) => get<Plan[]>("/plans?order=retired,position", signal) });
}

/** Of one tenant, or of all. */
export function useSubscriptions(slug = "") {
  const only = slug && `&tenant.slug=eq.${slug}`;
  return useQuery({
    queryKey: ["subscriptions", slug],
    ...LIVE,
    queryFn: ({ signal }) => get<Subscription[]>(`/subscriptions?select=${SUBSCRIPTION}${only}&order=period_end,id&limit=1000`, signal),
  });
}

/** `filter` is a query of the API's grammar, "" for all; the newest come first. */
export function useInvoices(filter: string, limit: number) {
  return useQuery({
    queryKey: ["invoices", filter, limit],
    ...LIVE,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => get<Invoice[]>(`/invoices?select=${INVOICE}${filter && `&${filter}`}&order=series.desc&limit=${limit}`, signal),
  });
}

export function useInvoice(id: string) {
  return useQuery({
    queryKey: ["invoice", id],
    ...LIVE,
    queryFn: async ({ signal }) =>
      (
        await get<WholeInvoice[]>(`/invoices?id=eq.${id}&select=*,credits(number,id),lines:invoice_lines(*)&lines.order=position`, signal)
      )[0] ?? null,
  });
}

/** Of every tenant with a plan, or only of those near a limit. */
export function useQuotas(near = false) {
  return useQuery({
    queryKey: ["quotas", near],
    ...LIVE,
    queryFn: () => call<{ tenant: string; plan: string; quotas: Record<string, Quota> }[]>("quota_usage", { near }),
  });
}

export const overdue = (invoice: Pick<Invoice, "status" | "due_on" | "kind">) =>
  invoice.kind === "invoice" && invoice.status === "open" && invoice.due_on < new Date().toISOString().slice(0, 10);
