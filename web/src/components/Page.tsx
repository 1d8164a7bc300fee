/** A page: its heading with what one can do on it, and the content; sets the title of the browser's tab. */
import { Group, Stack, Text, Title } from "@mantine/core";
import { useEffect, type ReactNode } from "react";
import classes from "./Page.module.css";

interface Properties {
  title: string;
  hint?: ReactNode;
  /** Buttons at the right of the heading. */
  actions?: ReactNode;
  children: ReactNode;
  /** The content takes the whole height and width, as a table does. */
  full?: boolean;
}

export function Page({ title, hint, actions, children, full }: Properties) {
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <div className={full ? classes.full : classes.page}>
      <Group justify="space-between" align="center" className={classes.head} gap="sm">
        <Stack gap={2} miw={0}>
          <Title order={1}>{title}</Title>
          {hint && (
            <Text size="sm" c="dimmed" component="div">
              {hint}
            </Text>
          )}
        </Stack>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </div>
  );
}
