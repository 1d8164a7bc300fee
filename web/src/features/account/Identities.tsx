/** Accounts at other providers with which one signs in here: connecting and removing them. */
import { Button, Group, Text } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { sayRefused } from "@/components/undo";
import { providersOf, useWays } from "@/features/auth/ways";
import { ask, get } from "@/lib/api/client";
import { queries } from "@/lib/api/queries";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";
import { readable } from "@/lib/schema/words";
import { Section } from "./Section";

interface Identity {
  identity_id: string;
  provider: string;
  email: string | null;
}

const KEY = ["identities"];

export function Identities() {
  const { t, say } = useI18n();
  const { data: ways } = useWays();
  const { data } = useQuery({ queryKey: KEY, queryFn: async ({ signal }) => (await get<{ identities: Identity[] }>("/auth/v1/user/identities", signal)).identities });
  const linked = (data ?? []).filter(({ provider }) => provider !== "email");
  const others = providersOf(ways).filter((name) => !linked.some(({ provider }) => provider === name));
  if (linked.length + others.length === 0) return null;
  const named = (name: string) => say(ways?.titles[name], readable(name));
  const remove = (id: string) => void ask(`/auth/v1/user/identities/${id}`, { method: "DELETE" }).then(() => queries.invalidateQueries({ queryKey: KEY }), sayRefused);
  const connect = async (name: string) => {
    const query = new URLSearchParams({ provider: name, redirect_to: `${location.origin}${boot.home}/account`, skip_http_redirect: "true" });
    try {
      location.assign((await get<{ url: string }>(`/auth/v1/user/identities/authorize?${query}`)).url);
    } catch (error) {
      sayRefused(error);
    }
  };
  return (
    <Section title={t.account.identities} hint={t.account.identitiesHint}>
      {linked.map((identity) => (
        <Group key={identity.identity_id} justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <IconPlugConnected size={20} aria-hidden style={{ flex: "none" }} />
            <Text size="sm" truncate>
              {named(identity.provider)} <Text span c="dimmed">{identity.email}</Text>
            </Text>
          </Group>
          <Button size="xs" variant="default" flex="none" onClick={() => remove(identity.identity_id)}>
            {t.common.remove}
          </Button>
        </Group>
      ))}
      {others.length > 0 && (
        <Group gap="xs">
          {others.map((name) => (
            <Button key={name} variant="default" onClick={() => void connect(name)}>
              {t.account.connect(named(name))}
            </Button>
          ))}
        </Group>
      )}
    </Section>
  );
}
