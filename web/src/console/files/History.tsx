/** Versions of a file, newest first: compared side by side, and gone back to. */
import { Button, Group, Modal, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { call, useAct } from "../parts/act";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { Sheet } from "../parts/Sheet";
import { State, type Tone } from "../parts/State";
import { Compare } from "./Compare";
import { plan, type Version } from "./data";
import { PlanView } from "./PlanView";

const TONES: Record<Version["status"], Tone> = { draft: "idle", pending: "warn", deployed: "good", superseded: "idle", rejected: "bad" };

export function History({ slug }: { slug: string }) {
  const { t, format } = useI18n();
  const [compared, compare] = useState<Version | null>(null);
  const [back, goBack] = useState<Version | null>(null);
  const query = useQuery({
    queryKey: ["history", slug],
    refetchInterval: 4000,
    queryFn: ({ signal }) => get<Version[]>(`/tenants/${slug}/schema/history?limit=50`, signal),
  });
  return (
    <Panel flush>
      <Asked query={query}>
        {(versions) => (
          <Sheet label={t.files.history} heads={[t.files.number, t.tenants.state, t.files.author, t.files.at, ""]}>
            {versions.map((version) => (
              <Table.Tr key={version.number}>
                <Table.Td className="numeric">{version.number}</Table.Td>
                <Table.Td maw={320}>
                  <State tone={TONES[version.status]}>{t.files.status[version.status]}</State>
                  {version.findings[0] && (
                    <Text size="xs" c="dimmed" lineClamp={2}>
                      {version.findings[0].line}: {version.findings[0].message}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>{version.author ?? "–"}</Table.Td>
                <Table.Td style={{ whiteSpace: "nowrap" }}>{format.moment(version.saved_at)}</Table.Td>
                <Table.Td>
                  <Group gap="xs" justify="flex-end" wrap="nowrap">
                    <Button size="compact-xs" variant="default" onClick={() => compare(version)}>
                      {t.files.compare}
                    </Button>
                    {version.status === "superseded" && (
                      <Button size="compact-xs" variant="default" onClick={() => goBack(version)}>
                        {t.files.back}
                      </Button>
                    )}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Sheet>
        )}
      </Asked>
      <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={compared !== null} onClose={() => compare(null)} size="xl" title={compared && t.files.compareTitle(compared.base, compared.number)}>
        {compared && <Difference slug={slug} version={compared} />}
      </Modal>
      <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={back !== null} onClose={() => goBack(null)} size="xl" title={back && t.files.backTitle(back.number)}>
        {back && <GoBack slug={slug} version={back} done={() => goBack(null)} />}
      </Modal>
    </Panel>
  );
}

function useText(slug: string, number: number | null) {
  return useQuery({
    queryKey: ["version", slug, number],
    staleTime: Infinity,
    queryFn: async ({ signal }) =>
      number === null ? "" : ((await get<Version>(`/tenants/${slug}/schema/history?version=${number}`, signal)).text ?? ""),
  });
}

function Difference({ slug, version }: { slug: string; version: Version }) {
  const { t } = useI18n();
  const before = useText(slug, version.base);
  const after = useText(slug, version.number);
  return (
    <Asked query={before}>
      {(old) => <Asked query={after}>{(text) => <Compare before={old} after={text} labels={[t.files.before, t.files.after]} />}</Asked>}
    </Asked>
  );
}

function GoBack({ slug, version, done }: { slug: string; version: Version; done: () => void }) {
  const { t } = useI18n();
  const text = useText(slug, version.number);
  const planned = useQuery({
    queryKey: ["back", slug, version.number, text.data],
    enabled: text.data !== undefined,
    queryFn: () => plan(slug, text.data ?? ""),
    staleTime: 0,
  });
  const act = useAct((id: string) => call("rollback_schema", { slug, version: version.number, plan_id: id }), t.files.backDone(version.number), done);
  return (
    <Stack gap="md">
      <Text size="sm">{t.files.backHint}</Text>
      <Asked query={planned}>
        {(found) => (
          <>
            <PlanView plan={found} />
            <Group justify="flex-end">
              <Button loading={act.isPending} onClick={() => act.mutate(found.level >= 2 ? found.plan_id : "")}>
                {t.files.back}
              </Button>
            </Group>
          </>
        )}
      </Asked>
    </Stack>
  );
}
