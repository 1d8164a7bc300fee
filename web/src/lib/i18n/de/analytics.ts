import type { Messages } from "../en";

export const analytics: Messages["analytics"] = {
  span: "Zeitraum",
  spans: { day: "24 Std.", week: "7 Tage", month: "30 Tage", quarter: "90 Tage", year: "1 Jahr" },
  tenants: "Mandanten",
  allTenants: "Alle Mandanten",
  another: "Vergleichen mit …",
  figures: {
    requests: "Anfragen",
    errors: "Fehler",
    latency: "Latenz",
    active_users: "Aktive Personen am Tag",
    storage: "Speicher",
    egress: "Gesendet",
  },
  values: { requests: "Anfragen", refusals: "Abgelehnt (4xx)", errors: "Fehler (5xx)", p50: "p50", p95: "p95", p99: "p99" },
  columns: { requests: "Anfragen", errors: "Fehlerquote", latency: "Mittlere Latenz", egress: "Gesendet", storage: "Speicher", active_users: "Personen am Tag" },
  compared: "Mandanten im Vergleich",
  csvOf: (title: string) => `${title} als CSV`,
  milliseconds: (value: string) => `${value} ms`,
  percent: (value: string) => `${value} %`,
  unknown: "Für diesen Zeitraum ist noch nichts bekannt",
  nothing: "In diesem Zeitraum wurde nichts gefragt",
  nothingHint: "Anfragen erscheinen hier nach wenigen Sekunden.",
  top: { route: "Am meisten gefragt", status: "Antworten nach Status" },
};
