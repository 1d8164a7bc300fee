/** What is being done in the designer, in a dialog of its own; nothing reaches the text before its button is pressed. */
import { Modal } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import { EntityForm, RelationForm } from "./EntityForms";
import { FieldForm } from "./FieldForm";
import type { Design, Entry, Role } from "./model";
import { RemoveForm, RenameForm } from "./RenameForms";
import { RoleForm, RuleForm } from "./RuleForms";

export type Doing =
  | { what: "entity" }
  | { what: "field" | "rename" | "remove"; entity: string; field: string }
  | { what: "relation"; entity: string }
  | { what: "rule"; entity: string; entry: Entry | null }
  | { what: "role"; role: Role | null };

/** What every form of the designer gets. */
export interface FormProperties {
  design: Design;
  text: string;
  base: string;
  /** Take the edit; `entity` is the one to look at from now on. */
  edit: (text: string, entity?: string) => void;
}

export function Dialogs({ doing, close, ...form }: FormProperties & { doing: Doing | null; close: () => void }) {
  const { t } = useI18n();
  return (
    <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={doing !== null} onClose={close} title={doing && titleOf(doing, t.designer)} size="md">
      {doing?.what === "entity" && <EntityForm {...form} />}
      {doing?.what === "relation" && <RelationForm {...form} entity={doing.entity} />}
      {doing?.what === "field" && <FieldForm {...form} entity={doing.entity} field={doing.field} />}
      {doing?.what === "rename" && <RenameForm {...form} entity={doing.entity} field={doing.field} />}
      {doing?.what === "remove" && <RemoveForm {...form} entity={doing.entity} field={doing.field} />}
      {doing?.what === "rule" && <RuleForm {...form} entity={doing.entity} entry={doing.entry} />}
      {doing?.what === "role" && <RoleForm {...form} role={doing.role} />}
    </Modal>
  );
}

function titleOf(doing: Doing, t: ReturnType<typeof useI18n>["t"]["designer"]): string {
  switch (doing.what) {
    case "entity":
      return t.addEntity;
    case "relation":
      return t.relationFrom(doing.entity);
    case "field":
      return doing.field ? `${doing.entity}.${doing.field}` : t.fieldOf(doing.entity);
    case "rename":
      return t.renameTitle(doing.field || doing.entity);
    case "remove":
      return t.removeTitle(doing.field || doing.entity);
    case "rule":
      return t.ruleOf(doing.entity);
    case "role":
      return doing.role ? doing.role.name : t.addRole;
  }
}
