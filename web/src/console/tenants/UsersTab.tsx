/** Who belongs to a tenant: people of the platform, and its own accounts, for whom one may stand in. */
import { Button, Modal, Stack } from "@mantine/core";
import { useState } from "react";
import { Invite } from "@/features/people/Invite";
import type { Person } from "@/features/people/people";
import { PeopleList } from "@/features/people/PeopleList";
import { useI18n } from "@/lib/i18n";
import { Within } from "../data/Within";
import { Panel } from "../parts/Panel";
import type { Row } from "./data";
import { Members } from "./Members";
import { StandIn } from "./StandIn";

export default function UsersTab({ tenant }: { tenant: Row }) {
  return (
    <Within slug={tenant.slug}>
      <Stack gap="md">
        <Accounts slug={tenant.slug} />
        <Members tenant={tenant} />
      </Stack>
    </Within>
  );
}

function Accounts({ slug }: { slug: string }) {
  const { t } = useI18n();
  const [inviting, invite] = useState(false);
  const [who, standIn] = useState<Person | null>(null);
  return (
    <Panel title={t.members.accounts} hint={t.members.accountsHint} actions={<Button size="xs" onClick={() => invite(true)}>{t.people.invite}</Button>}>
      <PeopleList
        onInvite={() => invite(true)}
        more={(person) => (
          <Button variant="light" onClick={() => standIn(person)}>
            {t.standing.button}
          </Button>
        )}
      />
      <Invite opened={inviting} onClose={() => invite(false)} />
      <Modal opened={who !== null} onClose={() => standIn(null)} title={who && t.standing.title(who.email)}>
        {who && <StandIn slug={slug} who={who} />}
      </Modal>
    </Panel>
  );
}
