/** The chosen entity: its fields and who may do what with its rows, each of which can be changed. */
import { ActionIcon, Button, Group, Menu, Table, Tabs, Text, UnstyledButton } from "@mantine/core";
import { IconDots, IconPencil } from "@tabler/icons-react";
import { useI18n } from "@/lib/i18n";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import type { Doing } from "./Dialogs";
import type { Entity, Entry } from "./model";

interface Properties {
  entity: Entity;
  disabled: boolean;
  act: (doing: Doing) => void;
  onLine: (line: number) => void;
}

export function EntityPanel({ entity, disabled, act, onLine }: Properties) {
  const { t } = useI18n();
  const { name } = entity;
  return (
    <Panel
      title={name}
      flush
      actions={
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="xs" variant="default" disabled={disabled} rightSection={<IconDots size={14} aria-hidden />}>
              {t.designer.change}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => act({ what: "rename", entity: name, field: "" })}>{t.designer.renameEntity}</Menu.Item>
            <Menu.Item color="red" onClick={() => act({ what: "remove", entity: name, field: "" })}>
              {t.designer.removeEntity}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      }
    >
      <Tabs defaultValue="fields" keepMounted={false}>
        <Tabs.List px="md">
          <Tabs.Tab value="fields">{t.designer.fields(entity.fields.length)}</Tabs.Tab>
          <Tabs.Tab value="access">{t.designer.access(entity.access.length)}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="fields">
          <Sheet label={t.designer.fields(entity.fields.length)} heads={[t.designer.name, t.designer.kind, ""]}>
            {entity.fields.map((field) => (
              <Table.Tr key={field.name}>
                <Table.Td>
                  <UnstyledButton fz="sm" fw={500} onClick={() => onLine(field.line)} title={t.designer.line(field.line)}>
                    {field.name}
                  </UnstyledButton>
                </Table.Td>
                <Table.Td>{[field.kind, field.required && t.designer.required, field.unique && t.designer.unique].filter(Boolean).join(" · ")}</Table.Td>
                <Table.Td>
                  <Menu position="bottom-end">
                    <Menu.Target>
                      <ActionIcon variant="subtle" color="gray" disabled={disabled} aria-label={t.designer.changeField(field.name)}>
                        <IconDots size={16} />
                      </ActionIcon>
                    </Menu.Target>
                    <Menu.Dropdown>
                      <Menu.Item onClick={() => act({ what: "field", entity: name, field: field.name })}>{t.designer.editField}</Menu.Item>
                      <Menu.Item onClick={() => act({ what: "rename", entity: name, field: field.name })}>{t.designer.renameField}</Menu.Item>
                      <Menu.Item color="red" onClick={() => act({ what: "remove", entity: name, field: field.name })}>
                        {t.designer.removeField}
                      </Menu.Item>
                    </Menu.Dropdown>
                  </Menu>
                </Table.Td>
              </Table.Tr>
            ))}
          </Sheet>
          <Group gap="xs" p="md">
            <Button size="xs" variant="default" disabled={disabled} onClick={() => act({ what: "field", entity: name, field: "" })}>
              {t.designer.addField}
            </Button>
            <Button size="xs" variant="default" disabled={disabled} onClick={() => act({ what: "relation", entity: name })}>
              {t.designer.addRelation}
            </Button>
          </Group>
        </Tabs.Panel>
        <Tabs.Panel value="access">
          <Sheet label={t.designer.access(entity.access.length)} heads={[t.designer.verb, t.designer.role, t.designer.rule, ""]}>
            {entity.access.map((entry) => (
              <Table.Tr key={`${entry.verb} ${entry.at ?? ""}`}>
                <Table.Td>{t.designer.verbs[entry.verb]}</Table.Td>
                <Table.Td>
                  <UnstyledButton fz="sm" fw={500} onClick={() => onLine(entry.line)} title={t.designer.line(entry.line)}>
                    {entry.role}
                  </UnstyledButton>
                </Table.Td>
                <Table.Td>
                  <Text size="xs" ff="monospace">
                    {ruleOf(entry) || "–"}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    disabled={disabled}
                    aria-label={t.designer.changeRule(t.designer.verbs[entry.verb], entry.role)}
                    onClick={() => act({ what: "rule", entity: name, entry })}
                  >
                    <IconPencil size={16} />
                  </ActionIcon>
                </Table.Td>
              </Table.Tr>
            ))}
          </Sheet>
          {entity.access.length === 0 && (
            <Text size="sm" c="dimmed" px="md" pt="sm">
              {t.designer.noAccess}
            </Text>
          )}
          <Group p="md">
            <Button size="xs" variant="default" disabled={disabled} onClick={() => act({ what: "rule", entity: name, entry: null })}>
              {t.designer.addRule}
            </Button>
          </Group>
        </Tabs.Panel>
      </Tabs>
    </Panel>
  );
}

/** An entry's conditions and field lists as they are written. */
function ruleOf({ written }: Entry): string {
  return ["rule", "check", "fields", "hide"].flatMap((key) => {
    const value = written[key];
    if (value === undefined) return [];
    return [key === "rule" ? String(value) : `${key}: ${Array.isArray(value) ? value.join(", ") : String(value)}`];
  }).join(" · ");
}
