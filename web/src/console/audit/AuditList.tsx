/** Lines of the platform's audit log; the values open under each. */
import { ActionIcon, Button, Code, Group, Table } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { Empty } from "@/components/Empty";
import { get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Sheet } from "../parts/Sheet";

interface Entry {
  id: number;
  at: string;
  action: string;
  entity: string | null;
  key: string | null;
  changed: string[] | null;
  old_values: unknown;
  new_values: unknown;
  email: string | null;
  api_key: string | null;
  address: string | null;
  request_id: string | null;
}

const PAGE = 50;

/** `filter` is a query of the API's grammar, "" for all. */
export function AuditList({ filter }: { filter: string }) {
  const { t, format } = useI18n();
  const [shown, setShown] = useState(PAGE);
  const [open, setOpen] = useState<number | null>(null);
  const query = useQuery({
    queryKey: ["audit", filter, shown],
    refetchInterval: 5000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => get<Entry[]>(`/audit_log?${filter && `${filter}&`}order=id.desc&limit=${shown}`, signal),
  });
  return (
    <Asked query={query}>
      {(entries) =>
        entries.length === 0 ? (
          <Empty title={t.tenants.nothingHappened} />
        ) : (
          <>
            <Sheet label={t.audit.title} heads={["", t.tenants.when, t.tenants.what, t.audit.about, t.tenants.who]}>
              {entries.map((entry) => (
                <Fragment key={entry.id}>
                  <Table.Tr>
                    <Table.Td w={40} pr={0}>
                      <ActionIcon
                        size="sm"
                        aria-label={t.audit.details}
                        aria-expanded={open === entry.id}
                        onClick={() => setOpen(open === entry.id ? null : entry.id)}
                      >
                        {open === entry.id ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
                      </ActionIcon>
                    </Table.Td>
                    <Table.Td style={{ whiteSpace: "nowrap" }}>{format.moment(entry.at)}</Table.Td>
                    <Table.Td>{entry.action}</Table.Td>
                    <Table.Td maw={260}>{[entry.entity, entry.key].filter(Boolean).join(" ")}</Table.Td>
                    <Table.Td>{entry.email ?? entry.api_key ?? "–"}</Table.Td>
                  </Table.Tr>
                  {open === entry.id && (
                    <Table.Tr>
                      <Table.Td colSpan={5}>
                        <Code block>
                          {JSON.stringify(
                            { changed: entry.changed, old: entry.old_values, new: entry.new_values, address: entry.address, request: entry.request_id },
                            null,
                            2,
                          )}
                        </Code>
                      </Table.Td>
                    </Table.Tr>
                  )}
                </Fragment>
              ))}
            </Sheet>
            {entries.length >= shown && (
              <Group p="sm">
                <Button size="xs" variant="default" onClick={() => setShown(shown + PAGE)}>
                  {t.common.more}
                </Button>
              </Group>
            )}
          </>
        )
      }
    </Asked>
  );
}
