/**
 * The editor with what stands around it. Three texts: `read` is the version one's own text began as, `mine` what was
 * written, `disk` the file as it is now. While nothing was written the page follows the disk; where both moved, a
 * person chooses, and only then is anything replaced. The designer edits the editor's text, so undo is one for both.
 */
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import type { EditorView } from "@codemirror/view";
import { Opening } from "@/components/Opening";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";
import { useAct } from "../parts/act";
import { State } from "../parts/State";
import { useFileStatus } from "../tenants/data";
import { Compare } from "./Compare";
import { check, plan, write, type FileText } from "./data";
import { backAndForth, become, goTo } from "./document";
import { Editor } from "./Editor";
import classes from "./files.module.css";
import { PlanView } from "./PlanView";
import { isUnderWay, Progress } from "./Progress";
import type { LanguageSchema } from "./yaml";

const Designer = lazy(() => import("../designer/Designer"));

interface Properties {
  slug: string;
  /** The designer stands beside the text. */
  designed: boolean;
  disk: FileText;
  language: LanguageSchema;
}

export function FileEditor({ slug, designed, disk, language }: Properties) {
  const { t } = useI18n();
  const [read, setRead] = useState(disk);
  const [mine, setMine] = useState(disk.text);
  const [start, setStart] = useState(disk.text);
  const [followed, setFollowed] = useState(false);
  const [errors, setErrors] = useState(0);
  const [beside, setBeside] = useState(false);
  const [view, setView] = useState<EditorView | null>(null);
  const dirty = mine !== read.text;
  const moved = disk.etag !== read.etag;
  const begin = (file: FileText) => {
    setRead(file);
    setMine(file.text);
    setStart(file.text);
  };
  if (moved && !dirty) {
    begin(disk);
    setFollowed(true);
  }
  const [busy, setBusy] = useState(false);
  const status = useFileStatus(slug, busy ? 400 : 2000).data;
  const planned = useMutation({ mutationFn: () => plan(slug, mine) });
  const apply = useAct(
    async () => {
      setBusy(true);
      try {
        return await write(slug, mine, read.etag, (planned.data?.level ?? 0) >= 2 ? planned.data!.plan_id : "");
      } finally {
        setBusy(false);
      }
    },
    t.files.applied,
    (file) => {
      planned.reset();
      setBeside(false);
      queries.setQueryData(["file", slug], file);
      setRead(file);
    },
  );
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <Group gap="md">
          <State tone={errors ? "bad" : dirty ? "info" : "good"}>
            {errors ? t.files.errors(errors) : dirty ? t.files.changed : t.files.asOnDisk}
          </State>
          {status && (
            <Text size="sm" c="dimmed">
              {t.files.serves(status.version)}
            </Text>
          )}
        </Group>
        <Group gap="xs">
          {dirty && (
            <Button variant="default" onClick={() => begin(disk)}>
              {t.files.discard}
            </Button>
          )}
          <Button disabled={!(dirty || status?.pending) || moved} loading={planned.isPending} onClick={() => planned.mutate()}>
            {t.files.review}
          </Button>
        </Group>
      </Group>
      {moved && dirty && (
        <Alert color="yellow" variant="light" icon={<IconAlertTriangle />} title={t.files.newOnDisk} role="alert">
          <Stack gap="sm">
            <Text size="sm">{t.files.newOnDiskHint}</Text>
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => begin(disk)}>
                {t.files.takeTheirs}
              </Button>
              <Button size="xs" variant="default" onClick={() => setRead(disk)}>
                {t.files.keepMine}
              </Button>
              <Button size="xs" variant="default" onClick={() => setBeside(true)}>
                {t.files.putTogether}
              </Button>
            </Group>
          </Stack>
        </Alert>
      )}
      {followed && !dirty && (
        <Alert color="blue" variant="light" icon={<IconRefresh />} withCloseButton closeButtonLabel={t.common.close} onClose={() => setFollowed(false)} role="status">
          {t.files.loadedNew}
        </Alert>
      )}
      {!dirty && status?.rejection && <Text size="sm">{t.files.refusedOnDisk}</Text>}
      {!dirty && status?.pending && <Text size="sm">{t.files.waitsOnDisk}</Text>}
      {!planned.data && isUnderWay(status?.migration) && <Progress migration={status.migration} />}
      {planned.error && <Trouble problem={asProblem(planned.error)} />}
      <div className={classes.faces} data-designed={designed || undefined}>
        {designed && view && (
          <Suspense fallback={<Opening />}>
            <Designer
              text={mine}
              base={read.text}
              onEdit={(text) => become(view, text)}
              onLine={(line) => goTo(view, line)}
              {...backAndForth(view)}
            />
          </Suspense>
        )}
        <Editor
          start={start}
          label={t.files.editor(slug)}
          language={language}
          onChange={setMine}
          onView={setView}
          check={async (text) => {
            const found = await check(slug, text);
            setErrors(found.filter(({ severity }) => severity !== "warning").length);
            return found;
          }}
        />
      </div>
      {beside && <Compare before={disk.text} after={mine} labels={[t.files.theirs, t.files.mine]} />}
      <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={planned.data !== undefined} onClose={planned.reset} size="xl" title={t.files.reviewTitle(slug)}>
        {planned.data && (
          <Stack gap="md">
            {busy && isUnderWay(status?.migration) ? (
              <Progress migration={status.migration} />
            ) : (
              <>
                <PlanView plan={planned.data} />
                <Compare before={read.text} after={mine} labels={[t.files.before, t.files.after]} />
              </>
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={planned.reset}>
                {t.common.cancel}
              </Button>
              <Button loading={apply.isPending} disabled={moved || planned.data.level > 2} onClick={() => apply.mutate(undefined)}>
                {planned.data.level === 2 ? t.files.agree : t.files.apply}
              </Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </Stack>
  );
}
