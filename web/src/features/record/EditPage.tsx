/** A page to change a row. */
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { Opening } from "@/components/Opening";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { labelOf } from "@/lib/rows/columns";
import { useRow, type Versioned } from "@/lib/rows/rows";
import { useEntity } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { allColumns } from "./columns";
import { RowEditor } from "./RowEditor";
import { useSchema } from "@/lib/schema/schema";
import { here } from "@/lib/within";

export default function EditPage() {
  const { entity: name = "", id = "" } = useParams();
  const entity = useEntity(name);
  if (entity === undefined || !entity.may.includes("update")) return <NotFound />;
  return <Edit key={`${name} ${id}`} entity={entity} id={id} />;
}

function Edit({ entity, id }: { entity: Entity; id: string }) {
  const { t } = useI18n();
  const schema = useSchema();
  const navigate = useNavigate();
  const { data, error, refetch } = useRow(entity, id, allColumns(schema, entity));
  // what was loaded first stays what changes are held against, whatever is fetched anew meanwhile
  const [first, setFirst] = useState<Versioned | null>(null);
  if (first === null && data !== undefined) setFirst(data);
  if (first === null) return error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} page /> : <Opening />;
  const back = here(`/data/${entity.name}/${encodeURIComponent(id)}`);
  return (
    <Page title={labelOf(first.row, entity)}>
      <RowEditor
        entity={entity}
        base={first.row}
        etag={first.etag}
        onCancel={() => void navigate(back)}
        onDone={() => {
          notifications.show({ message: t.common.saved });
          void navigate(back, { replace: true });
        }}
      />
    </Page>
  );
}
