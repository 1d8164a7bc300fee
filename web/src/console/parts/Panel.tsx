/** A part of a page on a surface of its own: heading, what one can do with it, content. */
import { Group, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./parts.module.css";

interface Properties {
  title?: string;
  hint?: string;
  actions?: ReactNode;
  /** The content reaches the edges, as a table does. */
  flush?: boolean;
  children: ReactNode;
}

export function Panel({ title, hint, actions, flush, children }: Properties) {
  return (
    <section className={classes.panel} data-flush={flush || undefined}>
      {(title || actions) && (
        <Group justify="space-between" className={classes.panelHead} gap="xs">
          {title && (
            <div>
              <Title order={2} size="h4">
                {title}
              </Title>
              {hint && (
                <Text size="xs" c="dimmed">
                  {hint}
                </Text>
              )}
            </div>
          )}
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
      )}
      <div className={classes.panelBody}>{children}</div>
    </section>
  );
}
