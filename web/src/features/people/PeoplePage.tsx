/** Who belongs to the tenant. */
import { Button } from "@mantine/core";
import { IconLock, IconUserPlus } from "@tabler/icons-react";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { useI18n } from "@/lib/i18n";
import { useMe } from "@/lib/session/session";
import { Invite } from "./Invite";
import { keepsPeople } from "./people";
import { PeopleList } from "./PeopleList";

export default function PeoplePage() {
  const { t } = useI18n();
  const [inviting, invite] = useState(false);
  if (!keepsPeople(useMe())) return <Empty title={t.people.notYours} hint={t.people.notYoursHint} icon={<IconLock size={24} />} />;
  return (
    <Page
      title={t.people.title}
      hint={t.people.hint}
      actions={
        <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => invite(true)}>
          {t.people.invite}
        </Button>
      }
    >
      <PeopleList onInvite={() => invite(true)} />
      <Invite opened={inviting} onClose={() => invite(false)} />
    </Page>
  );
}
