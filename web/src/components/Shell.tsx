/** The frame of both faces: brand, navigation, command palette, account; pages come in the middle. */
import { AppShell, Burger, Group, ScrollArea, UnstyledButton, Text, Kbd, VisuallyHidden } from "@mantine/core";
import { useDisclosure, useOs } from "@mantine/hooks";
import { spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { Suspense, type ReactNode } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { useI18n } from "@/lib/i18n";
import { AccountMenu, type AccountEntry } from "./AccountMenu";
import { Brand } from "./Brand";
import { Navigation, type NavGroup } from "./Navigation";
import { Opening } from "./Opening";
import { Palette, type Command } from "./Palette";
import classes from "./Shell.module.css";

interface Properties {
  name: string;
  groups: NavGroup[];
  commands: Command[];
  account?: AccountEntry[];
  /** Stands above every page while there is something to know. */
  banner?: ReactNode;
}

export function Shell({ name, groups, commands, account = [], banner }: Properties) {
  const { t } = useI18n();
  const [opened, { toggle, close }] = useDisclosure(false);
  const mac = useOs() === "macos";
  const { pathname } = useLocation();
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 240, breakpoint: "sm", collapsed: { mobile: !opened } }}
      transitionDuration={120}
      classNames={{ main: classes.main, header: classes.header, navbar: classes.navbar }}
    >
      <a href="#content" className="skip">
        {t.shell.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="sm">
          <Group gap="xs" wrap="nowrap" miw={0}>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t.shell.menu} aria-expanded={opened} />
            <Link to="/" className={classes.brand} onClick={close}>
              <Brand name={name} />
            </Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <UnstyledButton className={classes.search} onClick={spotlight.open}>
              <IconSearch size={16} aria-hidden />
              <VisuallyHidden hiddenFrom="sm">{t.common.search}</VisuallyHidden>
              <Text size="sm" visibleFrom="sm" c="dimmed">
                {t.common.search}
              </Text>
              <Kbd size="xs" visibleFrom="sm">
                {mac ? "⌘" : "Ctrl"} K
              </Kbd>
            </UnstyledButton>
            <AccountMenu entries={account} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar>
        <ScrollArea type="scroll" h="100%" scrollbarSize={8}>
          <Navigation groups={groups} onGo={close} label={t.shell.menu} />
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        {banner}
        <Suspense key={pathname.split("/")[1]} fallback={<Opening />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
      <Palette groups={groups} commands={commands} />
    </AppShell>
  );
}
