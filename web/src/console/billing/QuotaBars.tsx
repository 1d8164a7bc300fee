/** Use against limits as bars; from four fifths on they warn, as the API does. */
import { Progress } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import type { Quota } from "./data";
import classes from "./billing.module.css";

export function QuotaBars({ quotas }: { quotas: Record<string, Quota> }) {
  const { t, format } = useI18n();
  const names = t.billing.quotas as Record<string, string>;
  const amount = (name: string, value: number) => (name === "storage" ? format.bytes(value) : format.number(value));
  return (
    <div className={classes.quotas}>
      {Object.entries(quotas).map(([name, { used, limit, share }]) => (
        <div key={name} className={classes.quota}>
          <span>
            <span>{names[name] ?? name}</span>
            <span className="numeric">{format.number(Math.round(share * 100))} %</span>
          </span>
          <Progress value={Math.min(100, share * 100)} aria-label={names[name] ?? name} color={share >= 1 ? "red" : share >= 0.8 ? "yellow" : "accent"} />
          <span className="numeric" style={{ color: "var(--mantine-color-dimmed)" }}>
            {t.billing.usedOf(amount(name, used), amount(name, limit))}
          </span>
        </div>
      ))}
    </div>
  );
}
