/** A new row in a dialog, for who misses it while choosing. */
import type { Row } from "@/lib/rows/columns";
import type { Entity } from "@/lib/schema/types";
import { defaultsOf } from "./form";
import { RowEditor } from "./RowEditor";

export default function NewRow({ entity, initial, onDone, onCancel }: { entity: Entity; initial: Row; onDone: (row: Row) => void; onCancel: () => void }) {
  return <RowEditor entity={entity} base={defaultsOf(entity)} typed={initial} onDone={onDone} onCancel={onCancel} inside />;
}
