/** Rows from a file: what its columns are, what is wrong by row and column, and only then the writing. */
import { Alert, Anchor, Button, Group, Paper, Progress, Select, Stack, Table, Text, Title } from "@mantine/core";
import { IconCheck, IconUpload } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { Link, useParams } from "react-router";
import { Page } from "@/components/Page";
import { NotFound } from "@/components/PageError";
import { Trouble } from "@/components/Trouble";
import { addressOf, here } from "@/lib/within";
import { asProblem, type Problem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { changed } from "@/lib/rows/rows";
import { useEntity } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { entityTitle, fieldTitle } from "@/lib/schema/words";
import { Choices } from "./Choices";
import { look, PLAIN, run, type Import, type Words } from "./imports";

export default function ImportPage() {
  const { entity: name = "" } = useParams();
  const { t, language } = useI18n();
  const entity = useEntity(name);
  if (entity === undefined || !entity.may.includes("create")) return <NotFound />;
  return (
    <Page title={t.importing.title(entityTitle(entity, language))}>
      <Steps key={name} entity={entity} />
    </Page>
  );
}

function Steps({ entity }: { entity: Entity }) {
  const { t, format } = useI18n();
  const [held, setHeld] = useState<Import | null>(null);
  const [result, setResult] = useState<{ found: Import; tried: boolean } | null>(null);
  const [map, setMap] = useState<Words["map"]>({});
  const [choice, setChoice] = useState(PLAIN);
  const [busy, setBusy] = useState<number | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const input = useRef<HTMLInputElement>(null);

  const doing = async (work: () => Promise<void>) => {
    setBusy(0);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(null);
    }
  };
  const take = (file: File) =>
    doing(async () => {
      const found = await look(entity.name, file);
      setHeld(found);
      setResult(null);
      setMap(Object.fromEntries(found.columns.map(({ column, field, by }) => [column, by ? undefined : field] as const).filter((pair): pair is [string, string | null] => pair[1] !== undefined)));
    });
  const go = (dry: boolean, mode: Words["mode"]) =>
    doing(async () => {
      const found = await run(held!.id, { map, dry_run: dry, mode }, choice, setBusy);
      setResult({ found, tried: dry });
      if (!dry) changed(entity.name);
    });

  const errors = result?.found.errors ?? [];
  const bad = result?.found.rows.rejected ?? 0;
  const fine = result !== null && result.found.state === "done" && bad === 0;
  return (
    <Stack maw={900}>
      <Paper withBorder p="lg" radius="lg" bd="1px solid var(--line)">
        <Stack gap="sm" align="flex-start">
          <Text size="sm" c="dimmed">
            {t.importing.hint}
          </Text>
          <input
            ref={input}
            type="file"
            accept=".csv,.xlsx,.ndjson,.jsonl"
            hidden
            aria-label={t.importing.choose}
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file) void take(file);
              event.currentTarget.value = "";
            }}
          />
          <Button variant={held ? "default" : "filled"} leftSection={<IconUpload size={16} aria-hidden />} onClick={() => input.current?.click()} disabled={busy !== null}>
            {held ? t.importing.another : t.importing.choose}
          </Button>
        </Stack>
      </Paper>
      {busy !== null && <Progress value={busy > 0 ? busy * 100 : 100} animated aria-label={t.importing.working} />}
      {problem && <Trouble problem={problem} />}
      {held && !(result && !result.tried && fine) && (
        <>
          <Mapping entity={entity} held={held} map={map} onMap={setMap} />
          <Choices entity={entity} choice={choice} onChoice={setChoice} />
          <Group>
            <Button variant="default" onClick={() => void go(true, "all")} disabled={busy !== null}>
              {t.importing.check}
            </Button>
            {result?.tried && (
              <Button onClick={() => void go(false, bad > 0 ? "skip" : "all")} disabled={busy !== null}>
                {bad > 0 ? t.importing.runFine : t.importing.run}
              </Button>
            )}
          </Group>
        </>
      )}
      {result && fine && (
        <Alert color="green" icon={<IconCheck />} role="status">
          {result.tried ? t.importing.checked(format.number(result.found.rows.read)) : t.importing.done(format.number(result.found.rows.written))}
          {!result.tried && (
            <Anchor component={Link} to={here(`/data/${entity.name}`)} size="sm" display="block">
              {t.importing.showRows}
            </Anchor>
          )}
        </Alert>
      )}
      {result && !fine && (
        <Stack gap="sm">
          <Alert color="red" role="alert" title={t.importing.rejected(format.number(bad), format.number(result.found.rows.read))}>
            {result.tried ? result.found.problem?.message : t.importing.done(format.number(result.found.rows.written))}
          </Alert>
          <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0, "aria-label": t.importing.problem } }}>
            <Table fz="sm" withTableBorder bg="var(--mantine-color-body)" borderColor="var(--line)">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t.importing.row}</Table.Th>
                  <Table.Th>{t.importing.column}</Table.Th>
                  <Table.Th>{t.importing.problem}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {errors.map((error, at) => (
                  <Table.Tr key={at}>
                    <Table.Td className="numeric">{error.row}</Table.Td>
                    <Table.Td>{error.column ?? error.field}</Table.Td>
                    <Table.Td>{error.detail}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Anchor href={addressOf(`/imports/v1/${result.found.id}/rejected`)} download="rejected.csv" size="sm">
            {t.importing.download}
          </Anchor>
        </Stack>
      )}
    </Stack>
  );
}

const LEFT_OUT = "";

function Mapping({ entity, held, map, onMap }: { entity: Entity; held: Import; map: Words["map"]; onMap: (map: Words["map"]) => void }) {
  const { t, language } = useI18n();
  const fields = Object.values(entity.fields).filter((field) => field.writable && field.kind !== "file");
  const samples = (held.preview?.rows ?? []).map((row) => (Array.isArray(row[1]) ? (row[1] as unknown[]) : row));
  return (
    <Stack gap="xs">
      <Title order={2}>{t.importing.columns}</Title>
      <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0, "aria-label": t.importing.columns } }}>
        <Table fz="sm" withTableBorder bg="var(--mantine-color-body)" borderColor="var(--line)">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.importing.column}</Table.Th>
              <Table.Th>{t.form.field}</Table.Th>
              <Table.Th>{t.importing.example}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {held.columns.map(({ column, field, by }, at) => (
              <Table.Tr key={column}>
                <Table.Th scope="row">{column}</Table.Th>
                <Table.Td>
                  {by ? (
                    `${field ? fieldTitle(entity.fields[field]!, language) : ""} (${by})`
                  ) : (
                    <Select
                      size="xs"
                      aria-label={`${t.form.field}: ${column}`}
                      data={[{ value: LEFT_OUT, label: t.importing.leaveOut }, ...fields.map((each) => ({ value: each.name, label: fieldTitle(each, language) }))]}
                      value={map[column] ?? LEFT_OUT}
                      onChange={(next) => onMap({ ...map, [column]: next || null })}
                      allowDeselect={false}
                      searchable
                    />
                  )}
                </Table.Td>
                <Table.Td c="dimmed">
                  {samples
                    .slice(0, 3)
                    .map((row) => String(row[at] ?? ""))
                    .filter(Boolean)
                    .join(" · ")}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
