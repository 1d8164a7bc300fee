/** The frame of every page outside: whose place it is, one card, language and appearance. */
import { Paper, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { Brand } from "@/components/Brand";
import { Preferences } from "@/components/Preferences";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";
import classes from "./Door.module.css";

export function Door({ name, children }: { name?: string; children: ReactNode }) {
  const { say } = useI18n();
  return (
    <div className={classes.page}>
      <main className={classes.main}>
        <Stack gap="lg">
          <Brand name={say(boot.title, name || boot.slug)} large />
          <Paper withBorder p="xl" radius="lg" shadow="xs">
            {children}
          </Paper>
          <Preferences />
        </Stack>
      </main>
    </div>
  );
}
