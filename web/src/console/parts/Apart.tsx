/**
 * What the console shows from inside a tenant, as its admin; while this browser stands in for somebody there it is that
 * person there, and this says so instead.
 */
import { Button, Group } from "@mantine/core";
import { IconUserShield } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Empty } from "@/components/Empty";
import { Opening } from "@/components/Opening";
import { useI18n } from "@/lib/i18n";
import type { Me } from "@/lib/session/session";
import { useAct } from "./act";
import { endIn, standingKey, whoIn } from "./tenant";

export function Apart({ slug, children }: { slug: string; children: ReactNode }) {
  const { data: me, isPending } = useQuery({ queryKey: standingKey(slug), queryFn: () => whoIn(slug), retry: false });
  if (isPending) return <Opening />;
  return me?.standing_in ? <Notice slug={slug} me={me} /> : children;
}

function Notice({ slug, me }: { slug: string; me: Me }) {
  const { t } = useI18n();
  const end = useAct(() => endIn(slug, me.csrf_token ?? ""), "");
  return (
    <Empty title={t.standing.here(me.user?.email ?? "")} hint={t.standing.hereHint} icon={<IconUserShield size={24} />}>
      <Group gap="xs">
        <Button variant="default" component="a" href={`/app/${slug}/`}>
          {t.standing.back}
        </Button>
        <Button loading={end.isPending} onClick={() => end.mutate(undefined)}>
          {t.standing.end}
        </Button>
      </Group>
    </Empty>
  );
}
