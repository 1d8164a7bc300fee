/** People found by address, role and state; one of them is looked after in a drawer. */
import { Avatar, Badge, Button, Group, NativeSelect, Pagination, Skeleton, Stack, Table, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch, IconUsers } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { Empty } from "@/components/Empty";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { readable } from "@/lib/schema/words";
import { useMe } from "@/lib/session/session";
import { StateMark } from "./StateMark";
import { PersonDrawer } from "./PersonDrawer";
import { PAGE, STATES, usePeople, useRoles, type Person } from "./people";
import classes from "./People.module.css";

interface Properties {
  onInvite: () => void;
  /** More that can be done with somebody, in their drawer. */
  more?: (person: Person) => ReactNode;
}

export function PeopleList({ onInvite, more }: Properties) {
  const { t } = useI18n();
  const roles = useRoles();
  const [part, setPart] = useState("");
  const [role, setRole] = useState("");
  const [state, setState] = useState("");
  const [page, setPage] = useState(1);
  const [shown, show] = useState<Person | null>(null);
  const [settled] = useDebouncedValue(part.trim(), 200);
  const { data, error, refetch } = usePeople({ part: settled, role, state, page });
  const narrow = <T,>(set: (value: T) => void) => (value: T) => {
    set(value);
    setPage(1);
  };
  const sought = settled !== "" || role !== "" || state !== "";
  return (
    <>
      <Stack gap="sm" maw={960}>
        <div className={classes.tools}>
          <TextInput
            value={part}
            onChange={(event) => narrow(setPart)(event.currentTarget.value)}
            leftSection={<IconSearch size={16} aria-hidden />}
            placeholder={t.people.find}
            aria-label={t.people.find}
            type="search"
          />
          <NativeSelect aria-label={t.people.role} value={role} onChange={(event) => narrow(setRole)(event.currentTarget.value)} data={[{ value: "", label: t.people.anyRole }, ...roles.map(({ name }) => ({ value: name, label: readable(name) }))]} />
          <NativeSelect aria-label={t.people.state} value={state} onChange={(event) => narrow(setState)(event.currentTarget.value)} data={[{ value: "", label: t.people.anyState }, ...STATES.map((name) => ({ value: name, label: t.people.states[name] }))]} />
        </div>
        {data === undefined ? (
          error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={320} radius="lg" />
        ) : data.total === 0 ? (
          <Empty title={sought ? t.people.nobody : t.people.none} hint={sought ? t.people.nobodyHint : t.people.noneHint} icon={<IconUsers size={24} />}>
            {!sought && <Button onClick={onInvite}>{t.people.invite}</Button>}
          </Empty>
        ) : (
          <>
            <List people={data.people} onOpen={show} />
            <Group justify="space-between">
              <Text size="xs" c="dimmed" role="status">
                {t.people.count(data.total)}
              </Text>
              {data.total > PAGE && <Pagination size="sm" total={Math.ceil(data.total / PAGE)} value={page} onChange={setPage} aria-label={t.people.pages} getControlProps={(control) => ({ "aria-label": t.people.turns[control] })} />}
            </Group>
          </>
        )}
      </Stack>
      <PersonDrawer person={shown} onClose={() => show(null)} more={more} />
    </>
  );
}

function List({ people, onOpen }: { people: Person[]; onOpen: (person: Person) => void }) {
  const { t, format } = useI18n();
  const me = useMe();
  return (
    <div className={classes.sheet}>
      <Table verticalSpacing={10} horizontalSpacing="md" highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.people.person}</Table.Th>
            <Table.Th visibleFrom="sm">{t.people.role}</Table.Th>
            <Table.Th>{t.people.state}</Table.Th>
            <Table.Th visibleFrom="sm">{t.people.lastSeen}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {people.map((person) => (
            <Table.Tr key={person.id} className={classes.row!} onClick={() => onOpen(person)}>
              <Table.Td>
                <Group gap="sm" wrap="nowrap">
                  <Avatar size={30} color="accent" variant="light" visibleFrom="sm" aria-hidden>
                    {person.email.charAt(0).toUpperCase()}
                  </Avatar>
                  <div className={classes.who}>
                    <UnstyledButton className={classes.name!} aria-haspopup="dialog">
                      {person.email}
                    </UnstyledButton>
                    {person.id === me.user?.id && (
                      <Badge size="sm" variant="light" tt="none">
                        {t.people.you}
                      </Badge>
                    )}
                    <Text size="xs" c="dimmed" hiddenFrom="sm">
                      {readable(person.role)}
                    </Text>
                  </div>
                </Group>
              </Table.Td>
              <Table.Td visibleFrom="sm">{readable(person.role)}</Table.Td>
              <Table.Td>
                <StateMark person={person} />
              </Table.Td>
              <Table.Td visibleFrom="sm" c="dimmed">
                {person.last_sign_in_at ? format.ago(person.last_sign_in_at) : t.people.never}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
