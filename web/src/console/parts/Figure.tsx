/** One number with what it counts. */
import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./parts.module.css";

export function Figures({ children }: { children: ReactNode }) {
  return <dl className={classes.figures}>{children}</dl>;
}

export function Figure({ label, value, hint }: { label: string; value: ReactNode; hint?: ReactNode }) {
  return (
    <div className={classes.figure}>
      <dt className={classes.figureLabel}>{label}</dt>
      <dd className={classes.figureValue}>
        <span className="numeric">{value}</span>
        {hint && (
          <Text span size="xs" c="dimmed">
            {hint}
          </Text>
        )}
      </dd>
    </div>
  );
}
