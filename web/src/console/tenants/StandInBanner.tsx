/** Says on every page that one holds a session as somebody else, and ends it. */
import { Button, CopyButton, Group, Text } from "@mantine/core";
import { IconUserShield } from "@tabler/icons-react";
import { useEffect } from "react";
import { useI18n } from "@/lib/i18n";
import { useAct } from "../parts/act";
import { endSession, holdSession, useHeld, type Held } from "./standing";
import classes from "./StandInBanner.module.css";

export function StandInBanner() {
  const held = useHeld();
  return held && <Banner held={held} />;
}

function Banner({ held }: { held: Held }) {
  const { t, format } = useI18n();
  const end = useAct(endSession, t.tenants.ended);
  useEffect(() => {
    const timer = setTimeout(() => holdSession(null), Math.max(0, held.ends * 1000 - Date.now()));
    return () => clearTimeout(timer);
  }, [held]);
  return (
    <Group className={classes.banner} role="status" gap="sm">
      <IconUserShield size={18} aria-hidden />
      <Text size="sm" flex={1} miw={200}>
        <b>{t.tenants.banner(held.email, held.slug)}</b> {t.tenants.bannerEnds(format.ago(new Date(held.ends * 1000).toISOString()))}
      </Text>
      <CopyButton value={held.token}>
        {({ copied, copy }) => (
          <Button size="compact-sm" variant="default" onClick={copy}>
            {copied ? t.common.copied : t.tenants.bannerCopy}
          </Button>
        )}
      </CopyButton>
      <Button size="compact-sm" loading={end.isPending} onClick={() => end.mutate(held)}>
        {t.tenants.bannerEnd}
      </Button>
    </Group>
  );
}
