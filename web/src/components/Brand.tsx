/** The tenant's mark: its logo, else the first letter on its colour. */
import { Group, Text } from "@mantine/core";
import { boot } from "@/lib/boot";
import classes from "./Brand.module.css";

export function Brand({ name, large }: { name: string; large?: boolean }) {
  return (
    <Group gap="xs" wrap="nowrap" miw={0}>
      {boot.logo ? (
        <img src={boot.logo} alt="" className={classes.logo} data-large={large || undefined} />
      ) : (
        <span className={classes.letter} data-large={large || undefined} aria-hidden>
          {name.trim().charAt(0).toUpperCase()}
        </span>
      )}
      <Text fw={650} size={large ? "lg" : "md"} truncate>
        {name}
      </Text>
    </Group>
  );
}
