/** A page to make a row; the address may fill in fields: `?customer_id=…`. */
import { notifications } from "@mantine/notifications";
import { useMemo } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { useI18n } from "@/lib/i18n";
import { labelOf } from "@/lib/rows/columns";
import { useEntity } from "@/lib/schema/schema";
import { entityTitle } from "@/lib/schema/words";
import { here } from "@/lib/within";
import { defaultsOf } from "./form";
import { RowEditor } from "./RowEditor";

export default function NewPage() {
  const { entity: name = "" } = useParams();
  const { t, language } = useI18n();
  const [address] = useSearchParams();
  const navigate = useNavigate();
  const entity = useEntity(name);
  const base = useMemo(() => (entity ? defaultsOf(entity) : {}), [entity]);
  if (entity === undefined || !entity.may.includes("create")) return <NotFound />;
  const typed = Object.fromEntries([...address].filter(([field]) => entity.fields[field]?.writable));
  const title = entityTitle(entity, language);
  return (
    <Page title={t.shell.newOf(title)}>
      <RowEditor
        key={name}
        entity={entity}
        base={base}
        typed={typed}
        onCancel={() => void navigate(-1)}
        onDone={(row) => {
          notifications.show({ message: t.form.created(labelOf(row, entity)) });
          void navigate(here(`/data/${name}/${encodeURIComponent(String(row[entity.key]))}`), { replace: true });
        }}
      />
    </Page>
  );
}
