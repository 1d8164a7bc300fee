/** A state as a coloured dot and its word: the colour alone never says it. */
import { Group, Text } from "@mantine/core";
import classes from "./parts.module.css";

export type Tone = "good" | "warn" | "bad" | "idle" | "info";

export function State({ tone, children }: { tone: Tone; children: string }) {
  return (
    <Group gap={6} wrap="nowrap" component="span" display="inline-flex">
      <span className={classes.dot} data-tone={tone} aria-hidden />
      <Text span size="sm" style={{ whiteSpace: "nowrap" }}>
        {children}
      </Text>
    </Group>
  );
}
