/** The rows of one entity: as a table, or as the view of the file that the address names. */
import { Button, Group, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconPlus, IconSearch, IconUpload } from "@tabler/icons-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { Empty } from "@/components/Empty";
import { Opening } from "@/components/Opening";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { useRows } from "@/lib/rows/rows";
import { useEntity } from "@/lib/schema/schema";
import type { Entity, ListView } from "@/lib/schema/types";
import { entityTitle } from "@/lib/schema/words";
import { useMe } from "@/lib/session/session";
import { here } from "@/lib/within";
import { Bulk } from "./Bulk";
import { FilterButton, FilterPills } from "./Filters";
import { Grid } from "./Grid";
import { useListing } from "./listing";
import { ColumnMenu, ExportMenu, ViewMenu } from "./Tools";
import { ViewTabs } from "./ViewTabs";
import { VIEW_TYPES } from "./viewTypes";

const COMPONENTS = Object.fromEntries(Object.entries(VIEW_TYPES).map(([type, load]) => [type, lazy(load)]));

export default function DataPage() {
  const { entity: name = "" } = useParams();
  const entity = useEntity(name);
  if (entity === undefined || !entity.may.includes("read")) return <NotFound />;
  return <Rows key={name} entity={entity} />;
}

function Rows({ entity }: { entity: Entity }) {
  const { t, language } = useI18n();
  const [address] = useSearchParams();
  const name = address.get("view") ?? "list";
  const view = entity.views[name];
  const Other = view && COMPONENTS[view.type];
  const title = entityTitle(entity, language);
  return (
    <Page
      title={title}
      hint={entity.description}
      full
      actions={
        entity.may.includes("create") && (
          <>
            <Button component={Link} to={here(`/data/${entity.name}/import`)} variant="default" leftSection={<IconUpload size={16} aria-hidden />} visibleFrom="xs">
              {t.table.import}
            </Button>
            <Button component={Link} to={here(`/data/${entity.name}/new`)} leftSection={<IconPlus size={16} aria-hidden />}>
              {t.table.create}
            </Button>
          </>
        )
      }
    >
      <ViewTabs entity={entity} />
      {view && Other ? (
        <Suspense fallback={<Opening />}>
          <Other key={name} entity={entity} name={name} view={view} />
        </Suspense>
      ) : (
        <Table entity={entity} title={title} />
      )}
    </Page>
  );
}

function Table({ entity, title }: { entity: Entity; title: string }) {
  const { t, format } = useI18n();
  const me = useMe();
  const lists = useListing(entity);
  const { listing } = lists;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useRows(listing);
  const search = useDebouncedCallback(lists.setSearch, 250);
  const rows = useMemo(() => data?.pages.flatMap((page) => page.rows) ?? [], [data]);
  const total = data?.pages[0]?.total ?? null;
  const update = me.can[entity.name]?.update;
  const editable = useMemo(() => new Set(update?.allowed ? update.fields : []), [update]);
  const selectable = editable.size > 0 || entity.may.includes("delete");
  const searchable = Object.values(entity.fields).some((field) => field.searchable);
  const narrowed = listing.search !== "" || listing.filters.length > 0;
  const offered = (entity.views[lists.view] as ListView | undefined)?.filters ?? [];

  return (
    <>
      <Group gap="xs" justify="space-between">
        <Group gap="xs" flex={1} miw={0}>
          {searchable && (
            <TextInput
              flex={1}
              miw={120}
              maw={320}
              type="search"
              aria-label={t.table.find(title)}
              placeholder={t.table.find(title)}
              leftSection={<IconSearch size={16} aria-hidden />}
              defaultValue={listing.search}
              onChange={(event) => search(event.currentTarget.value)}
            />
          )}
          <FilterButton entity={entity} filters={listing.filters} offered={offered} onChange={lists.setFilters} />
        </Group>
        <Group gap="xs">
          <ColumnMenu lists={lists} />
          <ViewMenu lists={lists} />
          <ExportMenu lists={lists} />
        </Group>
      </Group>
      <FilterPills entity={entity} filters={listing.filters} onChange={lists.setFilters} />
      {error ? (
        <Trouble problem={asProblem(error)} onRetry={() => void refetch()} />
      ) : rows.length === 0 && !isPending ? (
        <Empty title={narrowed ? t.table.nothing : t.table.empty} hint={narrowed ? t.table.nothingHint : t.table.emptyHint}>
          {narrowed ? (
            <Button variant="default" onClick={() => lists.setFilters([])}>
              {t.table.clearFilters}
            </Button>
          ) : (
            entity.may.includes("create") && (
              <Button component={Link} to={here(`/data/${entity.name}/new`)} leftSection={<IconPlus size={16} aria-hidden />}>
                {t.table.create}
              </Button>
            )
          )}
        </Empty>
      ) : (
        <Grid
          listing={listing}
          rows={rows}
          pending={isPending || isFetchingNextPage}
          more={hasNextPage && !isFetchingNextPage}
          onMore={() => void fetchNextPage()}
          onSort={lists.setSort}
          selected={selected}
          onSelect={setSelected}
          editable={editable}
          selectable={selectable}
          label={title}
        />
      )}
      {rows.length > 0 && (
        <Group justify="space-between" px="xs" py={6} c="dimmed" fz="xs" className="numeric" aria-live="polite">
          <span>{total === null ? "" : t.table.rows(format.number(total))}</span>
          <span>{t.table.shown(format.number(rows.length))}</span>
        </Group>
      )}
      {selected.size > 0 && <Bulk entity={entity} selected={selected} editable={editable} onClear={() => setSelected(new Set())} />}
    </>
  );
}
