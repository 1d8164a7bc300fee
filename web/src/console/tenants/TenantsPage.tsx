/** All tenants, searchable, with what their files wait for. */
import { Anchor, Button, Table, Text, TextInput } from "@mantine/core";
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
import { planOf, TONES, useTenants, type Row } from "./data";

export default function TenantsPage() {
  const { t } = useI18n();
  const query = useTenants();
  const [word, setWord] = useState("");
  const create = (
    <Button component={Link} to="/tenants/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t.tenants.create}
    </Button>
  );
  return (
    <Page title={t.tenants.title} actions={create}>
      <Asked query={query}>
        {(rows) => {
          const found = rows.filter((row) => fits(row, word));
          if (rows.length === 0)
            return (
              <Empty title={t.tenants.none} hint={t.tenants.noneHint}>
                {create}
              </Empty>
            );
          return (
            <>
              <TextInput
                value={word}
                onChange={(event) => setWord(event.currentTarget.value)}
                leftSection={<IconSearch size={16} aria-hidden />}
                placeholder={t.tenants.search}
                aria-label={t.tenants.search}
                maw={360}
              />
              {found.length === 0 ? <Empty title={t.tenants.nothing} hint={t.tenants.nothingHint} /> : <List rows={found} />}
              <Text size="xs" c="dimmed" role="status">
                {t.tenants.count(found.length, rows.length)}
              </Text>
            </>
          );
        }}
      </Asked>
    </Page>
  );
}

function fits(row: Row, word: string): boolean {
  const told = [row.slug, row.name, row.domain, row.owner_email, planOf(row)].join(" ").toLowerCase();
  return word.toLowerCase().split(/\s+/).every((part) => told.includes(part));
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

export function WaitingNote({ row }: { row: Row }) {
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
