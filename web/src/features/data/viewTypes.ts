/** How a view of the file is shown, by its type; lists are this folder's own, others register here. */
import type { ComponentType } from "react";
import type { Entity, View } from "@/lib/schema/types";

export interface ViewProperties {
  entity: Entity;
  name: string;
  view: View;
}

export const VIEW_TYPES: Record<string, () => Promise<{ default: ComponentType<ViewProperties> }>> = {
  board: () => import("@/features/boards/BoardView"),
  calendar: () => import("@/features/calendars/CalendarView"),
};
