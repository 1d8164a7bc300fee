/** The simulator: as this person or role, with this entity or row, what is allowed, and by which line of the file. */
import { Button, Grid, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Empty } from "@/components/Empty";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { BUILT_IN_ROLES } from "../designer/model";
import { useFileText } from "../files/data";
import { call } from "../parts/act";
import { Panel } from "../parts/Panel";
import { askTenant } from "../parts/tenant";
import type { Row } from "../tenants/data";
import { entitiesOf, type Explanation } from "./data";
import { Told } from "./Told";

export default function AccessTab({ tenant: { slug } }: { tenant: Row }) {
  const { t } = useI18n();
  const file = useFileText(slug);
  const { entities, roles } = useMemo(() => entitiesOf(file.data?.text ?? ""), [file.data?.text]);
  const [by, setBy] = useState("role");
  const [role, setRole] = useState("authenticated");
  const [claims, setClaims] = useState("");
  const [person, setPerson] = useState<string | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [key, setKey] = useState("");
  const entity = entities.find(({ name }) => name === chosen) ?? entities[0];
  const people = useQuery({
    queryKey: ["users", slug],
    enabled: by === "person",
    queryFn: () => askTenant<{ users: { id: string; email: string; role: string }[] }>(slug, "/auth/v1/admin/users?per_page=200").then(({ users }) => users),
  });
  const asked = useMutation({
    mutationFn: () =>
      call<Explanation>("explain_access", {
        tenant: slug,
        entity: entity?.name,
        ...(by === "person" ? { user_id: person } : { role, ...(claims && { claims: JSON.parse(claims) as unknown }) }),
        ...(key && { key }),
      }),
  });
  const wrong = by === "role" && claims !== "" && !isObjectText(claims);
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, md: 4 }}>
        <Panel title={t.access.who}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              asked.mutate();
            }}
          >
            <Stack gap="sm">
              <SegmentedControl
                fullWidth
                value={by}
                onChange={setBy}
                data={[
                  { value: "role", label: t.access.role },
                  { value: "person", label: t.access.person },
                ]}
              />
              {by === "role" ? (
                <>
                  <Select label={t.access.role} data={[...new Set([...roles, ...BUILT_IN_ROLES])]} value={role} onChange={(value) => setRole(value ?? "authenticated")} searchable allowDeselect={false} />
                  <TextInput label={t.access.claims} description={t.access.claimsHint} placeholder={'{"region": "EU"}'} value={claims} onChange={(event) => setClaims(event.currentTarget.value)} error={wrong && t.access.badClaims} />
                </>
              ) : (
                <Select label={t.access.person} data={(people.data ?? []).map(({ id, email, role: theirs }) => ({ value: id, label: `${email} (${theirs})` }))} value={person} onChange={setPerson} searchable />
              )}
              <Select label={t.access.entity} data={entities.map(({ name }) => name)} value={entity?.name ?? null} onChange={setChosen} searchable allowDeselect={false} />
              <TextInput label={t.access.key} description={t.access.keyHint} value={key} onChange={(event) => setKey(event.currentTarget.value.trim())} />
              <Button type="submit" loading={asked.isPending} disabled={!entity || wrong || (by === "person" && !person)}>
                {t.access.ask}
              </Button>
              <Text size="xs" c="dimmed">
                {t.access.recorded}
              </Text>
            </Stack>
          </form>
        </Panel>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 8 }}>
        {asked.error ? (
          <Trouble problem={asProblem(asked.error)} />
        ) : asked.data ? (
          <Told explanation={asked.data} entity={entities.find(({ name }) => name === asked.data.entity)} slug={slug} />
        ) : (
          <Panel>
            <Empty title={t.access.nothing} hint={t.access.nothingHint} />
          </Panel>
        )}
      </Grid.Col>
    </Grid>
  );
}

function isObjectText(text: string): boolean {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && !Array.isArray(found);
  } catch {
    return false;
  }
}
