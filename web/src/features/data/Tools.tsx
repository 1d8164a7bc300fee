/** What one does with a list as a whole: choose columns, keep a view, export. */
import { ActionIcon, Button, Checkbox, Group, Menu, Popover, ScrollArea, Stack, TextInput, Tooltip } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconBookmark, IconChevronDown, IconColumns, IconDownload, IconTrash } from "@tabler/icons-react";
import { addressOf } from "@/lib/within";
import { useI18n } from "@/lib/i18n";
import { columnOf, columnTitle, possibleColumns } from "@/lib/rows/columns";
import { queryOf } from "@/lib/rows/rows";
import { useSchema } from "@/lib/schema/schema";
import type { Lists } from "./listing";

const FORMATS = ["csv", "xlsx", "json", "ndjson"];

export function ColumnMenu({ lists }: { lists: Lists }) {
  const { t, language } = useI18n();
  const schema = useSchema();
  const { entity, columns } = lists.listing;
  const shown = columns.map(({ path }) => path);
  const paths = [...shown, ...possibleColumns(entity).filter((path) => !shown.includes(path))];
  const toggle = (path: string) => {
    const next = shown.includes(path) ? shown.filter((each) => each !== path) : [...shown, path];
    if (next.length > 0) lists.setColumns(next);
  };
  return (
    <Popover position="bottom-end" shadow="md" trapFocus transitionProps={{ duration: 90 }}>
      <Popover.Target>
        <Tooltip label={t.table.columns}>
          <ActionIcon variant="default" size={36} aria-label={t.table.columns}>
            <IconColumns size={18} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <ScrollArea.Autosize mah={360} type="auto">
          <Stack gap="xs" pe="md">
            {paths.map((path) => {
              const column = columnOf(schema, entity, path);
              return column && <Checkbox key={path} size="sm" label={columnTitle(column, language)} checked={shown.includes(path)} onChange={() => toggle(path)} />;
            })}
          </Stack>
        </ScrollArea.Autosize>
        <Button variant="subtle" color="gray" size="compact-sm" mt="sm" onClick={() => lists.setColumns(null)}>
          {t.table.resetColumns}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}

export function ViewMenu({ lists }: { lists: Lists }) {
  const { t } = useI18n();
  const ask = () =>
    modals.open({
      title: t.table.saveView,
      children: (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const name = String(new FormData(event.currentTarget).get("name")).trim();
            if (name) lists.keep(name);
            modals.closeAll();
          }}
        >
          <Stack>
            <TextInput name="name" label={t.table.viewName} description={t.table.localView} required maxLength={60} data-autofocus />
            <Group justify="flex-end">
              <Button type="submit">{t.common.save}</Button>
            </Group>
          </Stack>
        </form>
      ),
    });
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Tooltip label={t.table.views}>
          <ActionIcon variant="default" size={36} aria-label={t.table.views}>
            <IconBookmark size={18} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {lists.local.map((view) => (
          <Group key={view.name} gap={2} wrap="nowrap">
            <Menu.Item onClick={() => lists.show(view)}>{view.name}</Menu.Item>
            <ActionIcon size="sm" aria-label={`${t.table.deleteView}: ${view.name}`} onClick={() => lists.forget(view.name)}>
              <IconTrash size={14} />
            </ActionIcon>
          </Group>
        ))}
        {lists.local.length > 0 && <Menu.Divider />}
        <Menu.Item leftSection={<IconBookmark size={16} aria-hidden />} onClick={ask}>
          {t.table.saveView}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

export function ExportMenu({ lists }: { lists: Lists }) {
  const { t } = useI18n();
  const schema = useSchema();
  const { listing } = lists;
  const query = queryOf(schema, listing);
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} rightSection={<IconChevronDown size={14} aria-hidden />} visibleFrom="xs">
          {t.table.export}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t.table.exportHint}</Menu.Label>
        {FORMATS.map((format) => (
          <Menu.Item key={format} component="a" href={addressOf(`/${listing.entity.name}.${format}?${query}`)} download={`${listing.entity.name}.${format}`}>
            {format.toUpperCase()}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
