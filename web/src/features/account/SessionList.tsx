/** Where somebody is signed in, with the way to end it there: one's own account, and admins for others. */
import { Badge, Button, Group, Skeleton, Text } from "@mantine/core";
import { IconDeviceDesktop } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Trouble } from "@/components/Trouble";
import { sayRefused } from "@/components/undo";
import { ask, get } from "@/lib/within";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";

interface Session {
  id: string;
  current: boolean;
  device: string | null;
  address: string | null;
  used_at: string;
}

interface Properties {
  queryKey: string[];
  /** Answers the sessions. */
  path: string;
  /** Where DELETE ends one of them. */
  endOf: (id: string) => string;
  /** Ends many at once; offered from so many on. */
  endAll: { path: string; method: "POST" | "DELETE"; label: string; from: number };
  none: string;
}

export function SessionList({ queryKey, path, endOf, endAll, none }: Properties) {
  const { t, format } = useI18n();
  const { data, error, refetch } = useQuery({ queryKey, queryFn: ({ signal }) => get<Session[]>(path, signal) });
  const end = (where: string, method: "POST" | "DELETE") => void ask(where, { method }).then(() => refetch(), sayRefused);
  if (data === undefined) return error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={80} />;
  return (
    <>
      {data.length === 0 && (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      )}
      {data.map((session) => (
        <Group key={session.id} justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <IconDeviceDesktop size={20} aria-hidden style={{ flex: "none" }} />
            <div style={{ minWidth: 0 }}>
              <Text size="sm" truncate>
                {deviceOf(session.device) || t.account.unknownDevice}
              </Text>
              <Text size="xs" c="dimmed">
                {session.address} · {t.account.lastUsed(format.ago(session.used_at))}
              </Text>
            </div>
          </Group>
          {session.current ? (
            <Badge variant="light" tt="none" flex="none">
              {t.account.thisOne}
            </Badge>
          ) : (
            <Button size="xs" variant="default" flex="none" onClick={() => end(endOf(session.id), "DELETE")}>
              {t.account.endSession}
            </Button>
          )}
        </Group>
      ))}
      {data.length >= endAll.from && (
        <Group>
          <Button variant="default" onClick={() => end(endAll.path, endAll.method)}>
            {endAll.label}
          </Button>
        </Group>
      )}
    </>
  );
}

/** "Chrome, Linux" of what a browser says about itself. */
function deviceOf(agent: string | null): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent ?? "")?.[1]?.replace("Edg", "Edge").replace("OPR", "Opera");
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent ?? "")?.[1];
  return [browser, system].filter(Boolean).join(", ") || (agent ?? "").slice(0, 60);
}
