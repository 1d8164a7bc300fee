/** The keys by which programs use the tenant. */
import { IconLock } from "@tabler/icons-react";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { keepsPeople } from "@/features/people/people";
import { useI18n } from "@/lib/i18n";
import { useMe } from "@/lib/session/session";
import { Keys } from "./Keys";

export default function KeysPage() {
  const { t } = useI18n();
  if (!keepsPeople(useMe())) return <Empty title={t.people.notYours} hint={t.people.notYoursHint} icon={<IconLock size={24} />} />;
  return (
    <Keys>
      {(create, list) => (
        <Page title={t.keys.title} hint={t.keys.hint} actions={create}>
          {list}
        </Page>
      )}
    </Keys>
  );
}
