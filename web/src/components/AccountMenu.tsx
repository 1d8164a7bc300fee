/** Who I am, language and appearance, the way out. */
import { Avatar, Menu, Text, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconDeviceDesktop, IconLogout, IconMoon, IconSun, IconUser } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import { LANGUAGES, useI18n, type Language } from "@/lib/i18n";
import { signOut, useMe } from "@/lib/session/session";

export interface AccountEntry {
  label: string;
  icon: ReactNode;
  to: string;
}

const SCHEMES = [
  ["light", IconSun],
  ["dark", IconMoon],
  ["auto", IconDeviceDesktop],
] as const;

export function AccountMenu({ entries }: { entries: AccountEntry[] }) {
  const { t, language, setLanguage } = useI18n();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const me = useMe();
  const name = me.user?.email ?? t.shell.account;
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <UnstyledButton aria-label={`${t.shell.account}: ${name}`}>
          <Avatar size={32} color="accent" variant="light" name={name} aria-hidden>
            {name.charAt(0).toUpperCase()}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" truncate>
            {name}
          </Text>
          {me.user?.role && <Text size="xs">{me.user.role}</Text>}
        </Menu.Label>
        {entries.map(({ label, icon, to }) => (
          <Menu.Item key={to} leftSection={icon ?? <IconUser size={16} />} onClick={() => void navigate(to)}>
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t.shell.appearance}</Menu.Label>
        {SCHEMES.map(([scheme, Icon]) => (
          <Menu.Item
            key={scheme}
            closeMenuOnClick={false}
            leftSection={<Icon size={16} aria-hidden />}
            rightSection={colorScheme === scheme && <IconCheck size={14} aria-label={t.common.yes} />}
            onClick={() => setColorScheme(scheme)}
          >
            {t.shell[scheme]}
          </Menu.Item>
        ))}
        <Menu.Label>{t.common.language}</Menu.Label>
        {(Object.entries(LANGUAGES) as [Language, string][]).map(([tag, label]) => (
          <Menu.Item
            key={tag}
            lang={tag}
            rightSection={language === tag && <IconCheck size={14} aria-label={t.common.yes} />}
            onClick={() => setLanguage(tag)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
          {t.shell.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
