/** One row: its fields, what points to it, its past; and what one may do with it. */
import { ActionIcon, Breadcrumbs, Anchor, Button, Group, Menu, Paper, Tabs, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { IconDots, IconPencil, IconTrash } from "@tabler/icons-react";
import { Link, useNavigate, useParams } from "react-router";
import { Opening } from "@/components/Opening";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { labelOf } from "@/lib/rows/columns";
import { deleteRow, useRow } from "@/lib/rows/rows";
import { useEntity, useSchema } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { entityTitle } from "@/lib/schema/words";
import { here } from "@/lib/within";
import { allColumns } from "./columns";
import { Facts } from "./Facts";
import { RELATED, RelatedTab, relatedOf } from "./Related";
import { TABS } from "./tabs";

export default function RecordPage() {
  const { entity: name = "", id = "" } = useParams();
  const entity = useEntity(name);
  if (entity === undefined || !entity.may.includes("read")) return <NotFound />;
  return <Record key={`${name} ${id}`} entity={entity} id={id} />;
}

function Record({ entity, id }: { entity: Entity; id: string }) {
  const { t, language } = useI18n();
  const schema = useSchema();
  const navigate = useNavigate();
  const { data, error, refetch } = useRow(entity, id, allColumns(schema, entity));
  if (error) return asProblem(error).status === 404 ? <NotFound /> : <Trouble problem={asProblem(error)} onRetry={() => void refetch()} page />;
  if (data === undefined) return <Opening />;
  const { row } = data;
  const list = here(`/data/${entity.name}`);
  const related = relatedOf(schema, entity);
  const tabs = TABS.filter((tab) => tab.shown(entity));

  const remove = () =>
    modals.openConfirmModal({
      title: t.table.deleteRows(1),
      children: <Text size="sm">{entity.soft_delete ? t.table.softHint : t.table.deleteHint}</Text>,
      labels: { confirm: t.common.delete, cancel: t.common.cancel },
      confirmProps: { color: "red" },
      onConfirm: () =>
        void deleteRow(entity, id).then(
          () => {
            notifications.show({ message: t.common.deleted });
            void navigate(list, { replace: true });
          },
          (problem: unknown) => notifications.show({ color: "red", title: asProblem(problem).title, message: asProblem(problem).message }),
        ),
    });

  return (
    <Page
      title={labelOf(row, entity)}
      hint={
        <Breadcrumbs separator="›" fz="sm">
          <Anchor component={Link} to={list} fz="sm">
            {entityTitle(entity, language)}
          </Anchor>
        </Breadcrumbs>
      }
      actions={
        <>
          {tabs.map(({ name, Actions }) => Actions && <Actions key={name} entity={entity} id={id} row={row} etag={data.etag} />)}
          {entity.may.includes("update") && (
            <Button component={Link} to={`${list}/${encodeURIComponent(id)}/edit`} variant="default" leftSection={<IconPencil size={16} aria-hidden />}>
              {t.common.edit}
            </Button>
          )}
          {entity.may.includes("delete") && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={t.common.more}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item c="var(--mantine-color-error)" leftSection={<IconTrash size={16} aria-hidden />} onClick={remove}>
                  {t.common.delete}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </>
      }
    >
      <Paper withBorder p={{ base: "md", sm: "lg" }} radius="lg" bd="1px solid var(--line)">
        <Facts entity={entity} row={row} />
      </Paper>
      {related.length + tabs.length > 0 && (
        <Tabs defaultValue={related.length > 0 ? RELATED + related[0]!.key : tabs[0]!.name} keepMounted={false}>
          <Tabs.List>
            {related.map((each) => (
              <Tabs.Tab key={each.key} value={RELATED + each.key}>
                {each.title(language)}
              </Tabs.Tab>
            ))}
            {tabs.map((tab) => (
              <Tabs.Tab key={tab.name} value={tab.name}>
                {tab.title(t)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {related.map((each) => (
            <Tabs.Panel key={each.key} value={RELATED + each.key} pt="md">
              <RelatedTab related={each} row={row} entity={entity} />
            </Tabs.Panel>
          ))}
          {tabs.map((tab) => (
            <Tabs.Panel key={tab.name} value={tab.name} pt="md">
              <Group>
                <tab.Panel entity={entity} id={id} row={row} etag={data.etag} />
              </Group>
            </Tabs.Panel>
          ))}
        </Tabs>
      )}
    </Page>
  );
}
