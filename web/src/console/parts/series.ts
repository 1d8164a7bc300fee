/** Series of the platform's `metrics/*`: asked for by range and tenant, without the holes they come with. */
import { get } from "@/lib/api/client";

export type Step = "minute" | "hour" | "day" | "month";
export type Point = { at: string } & Record<string, number | string>;

export interface Answered {
  from: string;
  to: string;
  step: Step;
  points: Point[];
}

export interface Range {
  /** ISO 8601. */
  from: string;
  to: string;
  step: Step;
}

export function askSeries(name: string, range: Range, tenant: string, signal?: AbortSignal): Promise<Answered> {
  const query = new URLSearchParams({ from: range.from, to: range.to, step: range.step, ...(tenant && { tenant }) });
  return get<Answered>(`/metrics/${name}?${query}`, signal);
}

/** Every step from the first to the last, UTC, as the points' `at` name them. */
export function moments({ from, to, step }: Pick<Answered, "from" | "to" | "step">): number[] {
  const until = new Date(to).getTime();
  const found: number[] = [];
  for (let at = cut(new Date(from), step); at.getTime() < until; at = next(at, step)) found.push(at.getTime());
  return found;
}

function cut(at: Date, step: Step): Date {
  const date = new Date(at);
  date.setUTCSeconds(0, 0);
  if (step !== "minute") date.setUTCMinutes(0);
  if (step === "day" || step === "month") date.setUTCHours(0);
  if (step === "month") date.setUTCDate(1);
  return date;
}

function next(at: Date, step: Step): Date {
  const date = new Date(at);
  if (step === "month") date.setUTCMonth(date.getUTCMonth() + 1);
  else date.setTime(date.getTime() + { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[step]);
  return date;
}

/** How an axis names a moment: days and months in UTC, as they are counted; hours as the clock on the wall. */
export function momentLabel(at: number, step: Step, language: string): string {
  const how: Intl.DateTimeFormatOptions =
    step === "month"
      ? { month: "short", year: "2-digit", timeZone: "UTC" }
      : step === "day"
        ? { day: "numeric", month: "short", timeZone: "UTC" }
        : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(language, how).format(at);
}
