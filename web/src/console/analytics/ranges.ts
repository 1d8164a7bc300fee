/** The spans of time one can look at, each with steps that make a readable chart. */
import type { Range, Step } from "../parts/series";

export const SPANS = { day: 1, week: 7, month: 30, quarter: 90, year: 365 } as const;
export type Span = keyof typeof SPANS;

const STEPS: Record<Span, Step> = { day: "hour", week: "hour", month: "day", quarter: "day", year: "day" };
const DAY = 86_400_000;

/** The span that ends with the running minute, so that what happens now is seen. */
export function rangeOf(span: Span, now: number): Range {
  const to = Math.ceil(now / 60_000) * 60_000;
  return { from: new Date(to - SPANS[span] * DAY).toISOString(), to: new Date(to).toISOString(), step: STEPS[span] };
}
