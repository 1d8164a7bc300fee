/** Values as people read them, by their unit. */
import type { Formats } from "@/lib/i18n/formats";
import type { Unit } from "./figures";

export function textOf(unit: Unit, format: Formats, milliseconds: (value: string) => string): (value: number) => string {
  if (unit === "bytes") return format.bytes;
  if (unit === "milliseconds") return (value) => milliseconds(format.number(Math.round(value * 10) / 10));
  return (value) => format.number(value);
}
