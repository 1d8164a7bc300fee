/** What came in, month by month and currency by currency; sums of different currencies are never added. */
import { useQuery } from "@tanstack/react-query";
import { get } from "@/lib/api/client";
import { askSeries, moments } from "../parts/series";
import { useSubscriptions } from "./data";

const MONTHS = 12;

export interface Month {
  at: number;
  invoiced: number;
  paid: number;
  recurring: number;
}

/** The last year by currency, without holes; the one with most comes first. */
export function useRevenue() {
  return useQuery({
    queryKey: ["revenue"],
    refetchInterval: 10_000,
    queryFn: async ({ signal }): Promise<[string, Month[]][]> => {
      const now = new Date();
      const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - MONTHS + 1, 1)).toISOString();
      const to = new Date(now.getTime() + 86_400_000).toISOString(); // today's are among them
      const { points } = await askSeries("revenue", { from, to, step: "month" }, "", signal);
      const currencies = [...new Set(points.map((point) => String(point["currency"])))];
      const months = currencies.map((currency): [string, Month[]] => {
        const found = new Map(points.filter((point) => point["currency"] === currency).map((point) => [new Date(point.at).getTime(), point]));
        const of = (at: number, name: string) => Number(found.get(at)?.[name] ?? 0);
        return [
          currency,
          moments({ from, to: now.toISOString(), step: "month" }).map((at) => ({
            at,
            invoiced: of(at, "invoiced"),
            paid: of(at, "paid"),
            recurring: of(at, "recurring"),
          })),
        ];
      });
      const sum = ([, all]: [string, Month[]]) => all.reduce((total, month) => total + month.invoiced, 0);
      return months.sort((one, other) => sum(other) - sum(one));
    },
  });
}

export interface Owed {
  currency: string;
  sum: number;
  count: number;
}

/** What invoices still ask for, by currency; `late` only those beyond their day. */
export function useOwed(late: boolean) {
  const today = new Date().toISOString().slice(0, 10);
  const only = late ? `&due_on=lt.${today}` : "";
  return useQuery({
    queryKey: ["owed", late, today],
    refetchInterval: 10_000,
    queryFn: ({ signal }) => get<Owed[]>(`/invoices?select=currency,total.sum(),count()&status=eq.open&kind=eq.invoice${only}&order=currency`, signal),
  });
}

/** What the plans in force bring in a month, by currency; trials bring nothing yet. */
export function useRecurring() {
  const { data } = useSubscriptions();
  if (!data) return undefined;
  const sums = new Map<string, number>();
  let trials = 0;
  for (const { status, plan } of data) {
    if (status === "trialing") trials += 1;
    else if (status !== "cancelled") sums.set(plan.currency, (sums.get(plan.currency) ?? 0) + plan.price);
  }
  const paying = data.filter(({ status, plan }) => (status === "active" || status === "past_due") && plan.price > 0).length;
  return { sums: [...sums].sort(([one], [other]) => one.localeCompare(other)), trials, paying };
}
