/** Keys by which programs use the tenant: which there are, when each was last used, ending one. */
import { Badge, Button, Code, Group, Menu, ActionIcon, Skeleton, Stack, Table, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { IconDots, IconKey, IconPlus } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { Empty } from "@/components/Empty";
import { Trouble } from "@/components/Trouble";
import { sayRefused } from "@/components/undo";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { readable } from "@/lib/schema/words";
import { hasEnded, isPublic, replaceKey, revokeKey, useKeys, type Key, type Made } from "./keys";
import classes from "./Keys.module.css";
import { NewKey } from "./NewKey";
import { ShownOnce } from "./ShownOnce";

/** `children` gets the button that makes one, and the list. */
export function Keys({ children }: { children: (create: ReactNode, list: ReactNode) => ReactNode }) {
  const { t } = useI18n();
  const { data, error, refetch } = useKeys();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const create = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      {t.keys.create}
    </Button>
  );
  const list =
    data === undefined ? (
      error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={240} radius="lg" />
    ) : data.length === 0 ? (
      <Empty title={t.keys.none} hint={t.keys.noneHint} icon={<IconKey size={24} />}>
        {create}
      </Empty>
    ) : (
      <List keys={data} onMade={setMade} />
    );
  return (
    <>
      {children(create, <Stack maw={960}>{list}</Stack>)}
      <NewKey opened={making} onClose={() => setMaking(false)} onMade={setMade} />
      <ShownOnce made={made} onClose={() => setMade(null)} />
    </>
  );
}

function List({ keys, onMade }: { keys: Key[]; onMade: (made: Made) => void }) {
  const { t, format } = useI18n();
  return (
    <div className={classes.sheet}>
      <Table verticalSpacing={10} horizontalSpacing="md">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.keys.key}</Table.Th>
            <Table.Th visibleFrom="sm">{t.keys.may}</Table.Th>
            <Table.Th visibleFrom="sm">{t.keys.lastUse}</Table.Th>
            <Table.Th visibleFrom="sm">{t.keys.ends}</Table.Th>
            <Table.Th w={52} aria-label={t.common.more} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map((key) => (
            <Table.Tr key={key.id} data-ended={hasEnded(key) || undefined}>
              <Table.Td>
                <Text size="sm" fw={550}>
                  {key.name || t.keys.unnamed}
                </Text>
                <Code fz="xs">{key.prefix}…</Code>
                <Text size="xs" c="dimmed" hiddenFrom="sm">
                  {key.used_at ? t.keys.used(format.ago(key.used_at)) : t.keys.unused}
                </Text>
              </Table.Td>
              <Table.Td visibleFrom="sm">
                <Rights of={key} />
              </Table.Td>
              <Table.Td visibleFrom="sm" c="dimmed">
                {key.used_at ? format.ago(key.used_at) : t.keys.unused}
              </Table.Td>
              <Table.Td visibleFrom="sm" c="dimmed">
                {key.revoked_at ? t.keys.revoked : key.expires_at ? format.moment(key.expires_at) : t.keys.never}
              </Table.Td>
              <Table.Td>{!hasEnded(key) && <Actions of={key} onMade={onMade} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Rights({ of: key }: { of: Key }) {
  const { t } = useI18n();
  if (isPublic(key))
    return (
      <Badge variant="default" radius="sm" tt="none" fw={500}>
        {t.keys.public}
      </Badge>
    );
  return (
    <>
      <Text size="sm">{readable(key.role)}</Text>
      <Text size="xs" c="dimmed" lineClamp={2}>
        {key.scopes === null ? t.keys.everything : key.scopes.join(", ") || t.keys.nothing}
      </Text>
    </>
  );
}

function Actions({ of: key, onMade }: { of: Key; onMade: (made: Made) => void }) {
  const { t } = useI18n();
  const name = key.name || key.prefix;
  const revoke = () =>
    modals.openConfirmModal({
      title: t.keys.revokeSure(name),
      children: <Text size="sm">{t.keys.revokeHint}</Text>,
      labels: { confirm: t.keys.revoke, cancel: t.common.cancel },
      confirmProps: { color: "red" },
      onConfirm: () => void revokeKey(key.id).then(() => notifications.show({ message: t.keys.isRevoked(name) }), sayRefused),
    });
  return (
    <Group justify="flex-end">
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={t.keys.actionsFor(name)}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void replaceKey(key.id).then(onMade, sayRefused)}>{t.keys.replace}</Menu.Item>
          <Menu.Item color="red" onClick={revoke}>
            {t.keys.revoke}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
