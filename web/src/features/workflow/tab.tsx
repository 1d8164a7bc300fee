/** The workflow on the page of a row: buttons in its head, its history in a tab. */
import type { RowTab } from "@/features/record/tabs";
import { Buttons } from "./Buttons";
import { RowWorkflow } from "./RowWorkflow";

export const WORKFLOW_TAB: RowTab = {
  name: "workflow",
  title: (t) => t.flow.title,
  shown: (entity) => entity.workflow !== undefined,
  Panel: ({ entity, id, etag }) => <RowWorkflow entity={entity} id={id} version={etag} />,
  Actions: ({ entity, id, etag }) => <Buttons entity={entity} id={id} version={etag} />,
};
