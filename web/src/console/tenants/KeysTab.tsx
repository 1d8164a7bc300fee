/** The API keys of a tenant: its own page for them, as its admin. */
import { Keys } from "@/features/keys/Keys";
import { useI18n } from "@/lib/i18n";
import { Within } from "../data/Within";
import { Panel } from "../parts/Panel";
import type { Row } from "./data";

export default function KeysTab({ tenant }: { tenant: Row }) {
  const { t } = useI18n();
  return (
    <Within slug={tenant.slug}>
      <Keys>
        {(create, list) => (
          <Panel title={t.keys.title} hint={t.keys.hint} actions={create}>
            {list}
          </Panel>
        )}
      </Keys>
    </Within>
  );
}
