/** Tenants page by page, searched by the server, with what their files wait for. */
import { Anchor, Button, Group, Pagination, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State } from "../parts/State";
import { PAGE, planOf, TONES, useTenantCount, useTenants, type Row, type Troubled } from "./data";

export default function TenantsPage() {
  const { t } = useI18n();
  const [words, setWords] = useState("");
  const [page, setPage] = useState(1);
  const [asked] = useDebouncedValue(words, 200);
  const all = useTenantCount();
  const query = useTenants(asked, page);
  const create = (
    <Button component={Link} to="/tenants/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t.tenants.create}
    </Button>
  );
  if (all.data === 0)
    return (
      <Page title={t.tenants.title} actions={create}>
        <Empty title={t.tenants.none} hint={t.tenants.noneHint}>
          {create}
        </Empty>
      </Page>
    );
  return (
    <Page title={t.tenants.title} actions={create}>
      <TextInput
        value={words}
        onChange={(event) => {
          setWords(event.currentTarget.value);
          setPage(1);
        }}
        leftSection={<IconSearch size={16} aria-hidden />}
        placeholder={t.tenants.search}
        aria-label={t.tenants.search}
        maw={360}
      />
      <Asked query={query}>
        {({ rows, total }) => (
          <>
            {rows.length === 0 ? <Empty title={t.tenants.nothing} hint={t.tenants.nothingHint} /> : <List rows={rows} />}
            <Group justify="space-between">
              <Text size="xs" c="dimmed" role="status">
                {t.tenants.count(total, all.data ?? total)}
              </Text>
              {total > PAGE && (
                <Pagination
                  size="sm"
                  total={Math.ceil(total / PAGE)}
                  value={page}
                  onChange={setPage}
                  aria-label={t.people.pages}
                  getControlProps={(control) => ({ "aria-label": t.people.turns[control] })}
                />
              )}
            </Group>
          </>
        )}
      </Asked>
    </Page>
  );
}

function List({ rows }: { rows: Row[] }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const { slug, state, version, plan, people, lastError } = t.tenants;
  return (
    <Panel flush>
      <Sheet label={t.tenants.title} heads={[slug, state, version, plan, people, lastError]}>
        {rows.map((row) => (
          <Table.Tr key={row.id} onClick={() => void navigate(`/tenants/${row.slug}`)} style={{ cursor: "pointer" }}>
            <Table.Td>
              <Anchor component={Link} to={`/tenants/${row.slug}`} fw={600} onClick={(event) => event.stopPropagation()}>
                {row.slug}
              </Anchor>
              {row.name && (
                <Text size="xs" c="dimmed">
                  {row.name}
                </Text>
              )}
            </Table.Td>
            <Table.Td>
              <State tone={TONES[row.status]}>{t.tenants.status[row.status]}</State>
            </Table.Td>
            <Table.Td className="numeric">{row.version || "–"}</Table.Td>
            <Table.Td>{planOf(row) || t.tenants.noPlan}</Table.Td>
            <Table.Td className="numeric">{row.memberships.length}</Table.Td>
            <Table.Td maw={320}>
              <WaitingNote row={row} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Sheet>
    </Panel>
  );
}

export function WaitingNote({ row }: { row: Troubled }) {
  const { t } = useI18n();
  if (row.status_reason) return <Text size="sm">{row.status_reason}</Text>;
  if (!row.waiting) return null;
  const { status, number, findings } = row.waiting;
  const first = findings?.[0];
  return (
    <>
      <State tone={status === "rejected" ? "bad" : "warn"}>
        {status === "rejected" ? t.tenants.refused(number) : t.tenants.planWaits(number)}
      </State>
      {first && (
        <Text size="xs" c="dimmed" lineClamp={2}>
          {first.message}
        </Text>
      )}
    </>
  );
}
