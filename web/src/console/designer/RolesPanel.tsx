/** The roles of the file, and what each includes. */
import { ActionIcon, Button, Group, Table, Text } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useI18n } from "@/lib/i18n";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import type { Doing } from "./Dialogs";
import type { Design } from "./model";

export function RolesPanel({ design: { roles }, disabled, act }: { design: Design; disabled: boolean; act: (doing: Doing) => void }) {
  const { t } = useI18n();
  return (
    <Panel
      title={t.designer.roles}
      flush
      actions={
        <Button size="xs" variant="default" disabled={disabled} onClick={() => act({ what: "role", role: null })}>
          {t.designer.addRole}
        </Button>
      }
    >
      <Text size="sm" c="dimmed" px="md" pt="sm">
        {t.designer.rolesHint}
      </Text>
      {roles.length > 0 && (
        <Sheet label={t.designer.roles} heads={[t.designer.role, t.designer.inherits, ""]}>
          {roles.map((role) => (
            <Table.Tr key={role.name}>
              <Table.Td>{role.name}</Table.Td>
              <Table.Td>{role.inherits.join(", ") || "–"}</Table.Td>
              <Table.Td>
                <Group justify="flex-end">
                  <ActionIcon variant="subtle" color="gray" disabled={disabled} aria-label={t.designer.changeRole(role.name)} onClick={() => act({ what: "role", role })}>
                    <IconPencil size={16} />
                  </ActionIcon>
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Sheet>
      )}
    </Panel>
  );
}
