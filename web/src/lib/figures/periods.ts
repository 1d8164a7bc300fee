/** Days put together to weeks, months and so on; days are texts ("2026-11-28"), the same in every zone. */
export type Period = "day" | "week" | "month" | "quarter" | "year";

/** How many steps back a chart shows. */
export const STEPS: Record<Period, number> = { day: 31, week: 26, month: 24, quarter: 12, year: 10 };

const parse = (day: string) => new Date(`${day.slice(0, 10)}T00:00:00Z`);
const written = (date: Date) => date.toISOString().slice(0, 10);

/** The first day of the period a day is in; weeks begin on Mondays (ISO 8601). */
export function startOf(day: string, period: Period): string {
  const date = parse(day);
  if (period === "week") date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  else if (period !== "day") {
    const month = period === "year" ? 0 : period === "quarter" ? date.getUTCMonth() - (date.getUTCMonth() % 3) : date.getUTCMonth();
    return written(new Date(Date.UTC(date.getUTCFullYear(), month, 1)));
  }
  return written(date);
}

/** The first day of the period that is so many steps later. */
export function step(start: string, period: Period, by: number): string {
  const date = parse(start);
  if (period === "day") date.setUTCDate(date.getUTCDate() + by);
  else if (period === "week") date.setUTCDate(date.getUTCDate() + 7 * by);
  else date.setUTCMonth(date.getUTCMonth() + by * (period === "month" ? 1 : period === "quarter" ? 3 : 12));
  return written(date);
}

/** Today where the tenant is. */
export function today(zone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(new Date());
}

export function periodLabel(start: string, period: Period, language: string): string {
  const date = parse(start);
  if (period === "year") return String(date.getUTCFullYear());
  if (period === "quarter") return `Q${Math.floor(date.getUTCMonth() / 3) + 1} ${date.getUTCFullYear()}`;
  const how: Intl.DateTimeFormatOptions = period === "month" ? { month: "short", year: "2-digit" } : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(language, { ...how, timeZone: "UTC" }).format(date);
}
