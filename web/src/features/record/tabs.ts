/** What further features add to the page of a row: a tab, and buttons in its head. Each registers one line here. */
import type { ComponentType } from "react";
import type { Messages } from "@/lib/i18n";
import type { Row } from "@/lib/rows/columns";
import { CommentsPanel } from "@/features/comments/CommentsPanel";
import { WORKFLOW_TAB } from "@/features/workflow/tab";
import type { Entity } from "@/lib/schema/types";
import { HistoryPanel } from "./History";

export interface RowProperties {
  entity: Entity;
  id: string;
  row: Row;
  etag: string;
}

export interface RowTab {
  name: string;
  title: (t: Messages) => string;
  /** For which entities. */
  shown: (entity: Entity) => boolean;
  Panel: ComponentType<RowProperties>;
  Actions?: ComponentType<RowProperties>;
}

export const TABS: RowTab[] = [
  WORKFLOW_TAB,
  { name: "comments", title: (t) => t.comments.title, shown: (entity) => entity.comments, Panel: CommentsPanel },
  { name: "history", title: (t) => t.history.title, shown: (entity) => entity.history, Panel: HistoryPanel },
];
