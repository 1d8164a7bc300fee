/** What was done with this tenant. */
import { Panel } from "../parts/Panel";
import { AuditList } from "../audit/AuditList";
import type { Row } from "./data";

export default function AuditTab({ tenant }: { tenant: Row }) {
  return (
    <Panel flush>
      <AuditList filter={`key=in.(${tenant.slug},${tenant.id})`} />
    </Panel>
  );
}
