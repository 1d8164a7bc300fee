/** Numbers, money, days and moments as a person of a language reads them, in the zone of their own device. */

export interface Formats {
  number: (value: number, digits?: number) => string;
  /** "12.3K": for the scales of charts. */
  short: (value: number) => string;
  money: (value: number, currency: string) => string;
  /** A day without a time: the same in every zone. */
  day: (value: string) => string;
  moment: (value: string) => string;
  /** "3 minutes ago". */
  ago: (value: string) => string;
  bytes: (value: number) => string;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

export function formats(language: string): Formats {
  const days = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const safely = (value: string, how: Intl.DateTimeFormat) => {
    const date = new Date(value);
    return Number.isNaN(date.getTime()) ? value : how.format(date);
  };
  return {
    number: (value, digits) =>
      new Intl.NumberFormat(language, digits === undefined ? { maximumFractionDigits: 12 } : {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(value),
    short: (value) => new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(value),
    money: (value, currency) => new Intl.NumberFormat(language, { style: "currency", currency }).format(value),
    day: (value) => safely(value, days),
    moment: (value) => safely(value, moments),
    ago: (value) => {
      const seconds = (new Date(value).getTime() - Date.now()) / 1000;
      for (const [unit, size] of STEPS)
        if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
      return relative.format(Math.round(seconds), "second");
    },
    bytes: (value) => {
      const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
      const step = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
      return new Intl.NumberFormat(language, { style: "unit", unit: units[step]!, maximumFractionDigits: 1 }).format(
        value / 1000 ** step,
      );
    },
  };
}
