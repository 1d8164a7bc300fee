/** Says on every page that an administrator of the platform stands in for the person, and ends it. */
import { Button, Group, Text } from "@mantine/core";
import { IconUserShield } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { sayRefused } from "@/components/undo";
import { useI18n } from "@/lib/i18n";
import { useMe } from "@/lib/session/session";
import { endStandingIn, leave } from "@/lib/session/standing";
import classes from "./StandingIn.module.css";

export function StandingIn() {
  const { t, format } = useI18n();
  const { standing_in: standing, user } = useMe();
  const [began] = useState(standing !== null);
  const [ending, setEnding] = useState(false);
  const until = standing?.until;
  useEffect(() => {
    if (!began) return;
    // over, here or elsewhere: what follows would be somebody else's doing
    const timer = setTimeout(leave, until === undefined ? 0 : Math.max(0, new Date(until).getTime() - Date.now()));
    return () => clearTimeout(timer);
  }, [began, until]);
  if (!standing) return null;
  const end = () => {
    setEnding(true);
    endStandingIn().catch((error: unknown) => {
      setEnding(false);
      sayRefused(error);
    });
  };
  return (
    <Group className={classes.banner} role="status" gap="sm">
      <IconUserShield size={18} aria-hidden />
      <Text size="sm" flex={1} miw={200}>
        <b>{t.standing.banner(standing.by, user?.email ?? "")}</b> {t.standing.ends(format.moment(standing.until))}
      </Text>
      <Button size="compact-sm" loading={ending} onClick={end}>
        {t.standing.end}
      </Button>
    </Group>
  );
}
