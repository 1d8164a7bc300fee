/** A dashboard while it is arranged: its tiles as they will be, and the lines of the tenant's file that change. */
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowBackUp, IconLayoutDashboard, IconPlus } from "@tabler/icons-react";
import { useMemo, useRef, useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { Empty } from "@/components/Empty";
import { Opening } from "@/components/Opening";
import { Page } from "@/components/Page";
import { Trouble } from "@/components/Trouble";
import { useLeaveGuard } from "@/components/useLeaveGuard";
import { asProblem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { titleOf } from "@/lib/schema/words";
import { added, begun, changed, drawn, moved, removed, widgetAt, widgetsOf, written, type Edit } from "@/lib/yaml/dashboards";
import classes from "./editor.module.css";
import { EditedTile } from "./EditedTile";
import { save, useFile, useFindings, type File } from "./file";
import { Review } from "./Review";
import { WidgetForm } from "./WidgetForm";

export default function EditPage() {
  const { name = "" } = useParams();
  const { t } = useI18n();
  const { data: file, error, refetch } = useFile();
  const schema = useSchema();
  const [asked] = useSearchParams();
  const dashboard = schema.dashboards[name];
  // said at its beginning; a dashboard that is there has its title
  const fresh = dashboard === undefined ? asked.get("title") : null;
  if (error && file === undefined) return <Trouble problem={asProblem(error)} onRetry={() => void refetch()} page />;
  if (file === undefined) return <Opening />;
  if (file === null || (dashboard === undefined && fresh === null))
    return (
      <Page title={t.figures.dashboard}>
        <Empty title={t.arranging.notYours} hint={t.arranging.notYoursHint} icon={<IconLayoutDashboard size={24} />} />
      </Page>
    );
  return <Editor key={name} name={name} file={file} title={fresh} />;
}

/** `title` is that of a new dashboard, null for one that is there. */
function Editor({ name, file, title: fresh }: { name: string; file: File; title: string | null }) {
  const { t, language } = useI18n();
  const schema = useSchema();
  const navigate = useNavigate();
  const [edits, setEdits] = useState<Edit[]>([]);
  const [open, setOpen] = useState<number | "new" | null>(null);
  const [reviewing, setReviewing] = useState(false);
  const [dragged, setDragged] = useState<number | null>(null);
  const [begin] = useState(() => (fresh === null ? null : begun(name, fresh, language, schema)));
  const text = useMemo(() => [...(begin ? [begin] : []), ...edits].reduce((done, edit) => edit(done), file.text), [begin, edits, file.text]);
  const widgets = widgetsOf(text, name);
  const { data: findings = [] } = useFindings(file, text);
  const empty = widgets.length === 0;
  const told = text === file.text || (begin && empty) ? [] : findings;
  const elsewhere = told.filter(({ line }) => widgetAt(text, name, line) < 0);
  const done = useRef(false);
  useLeaveGuard(() => edits.length > 0 && !done.current);
  const edit = (one: Edit) => setEdits((before) => [...before, one]);
  const title = begin ? fresh! : titleOf(schema.dashboards[name]?.title, name, language);

  const apply = async () => {
    try {
      await save(file, text);
    } catch (error) {
      const { status, message } = asProblem(error);
      // the edits stand for themselves: they are done anew over what the file is now
      if (status === 412) await queries.invalidateQueries({ queryKey: ["file"] });
      notifications.show({ color: "red", title: t.arranging.notSaved, message: status === 412 ? t.arranging.meanwhile : message, autoClose: 10_000 });
      return;
    }
    done.current = true;
    notifications.show({ message: t.arranging.saved });
    void queries.invalidateQueries();
    void navigate(`/dashboards/${name}`);
  };

  return (
    <Page
      title={t.arranging.title(title)}
      hint={t.arranging.hint}
      actions={
        <>
          <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} disabled={edits.length === 0} onClick={() => setEdits(edits.slice(0, -1))}>
            {t.common.undo}
          </Button>
          <Button variant="default" onClick={() => void navigate(begin ? "/" : `/dashboards/${name}`)}>
            {t.common.cancel}
          </Button>
          <Button disabled={text === file.text || told.length > 0 || (begin !== null && empty)} onClick={() => setReviewing(true)}>
            {t.arranging.review}
          </Button>
        </>
      }
    >
      {elsewhere.map(({ line, message }) => (
        <Text key={`${line} ${message}`} size="sm" c="var(--mantine-color-error)" role="alert">
          {message}
        </Text>
      ))}
      {empty && <Empty title={t.arranging.empty} hint={t.arranging.emptyHint} icon={<IconLayoutDashboard size={24} />} />}
      <div className={classes.tiles}>
        {widgets.map((widget, at) => (
          <EditedTile
            key={at}
            widget={drawn(widget, schema)}
            at={at}
            last={widgets.length - 1}
            findings={told.filter(({ line }) => widgetAt(text, name, line) === at)}
            onMove={(to) => edit(moved(name, at, to))}
            onWidth={(width) => edit(changed(name, at, { ...widget, width }))}
            onRemove={() => edit(removed(name, at))}
            onOpen={() => setOpen(at)}
            onDrag={(dragging) => setDragged(dragging ? at : null)}
            onDrop={() => {
              if (dragged !== null && dragged !== at) edit(moved(name, dragged, at));
              setDragged(null);
            }}
          />
        ))}
      </div>
      <Group>
        <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen("new")} disabled={widgets.length >= 50}>
          {t.arranging.add}
        </Button>
      </Group>
      {open !== null && (
        <WidgetForm
          widget={open === "new" ? null : drawn(widgets[open]!, schema)}
          onClose={() => setOpen(null)}
          onDone={(widget) => {
            setOpen(null);
            edit(open === "new" ? added(name, written(widget, schema)) : changed(name, open, written(widget, schema)));
          }}
        />
      )}
      {reviewing && <Review before={file.text} after={text} onClose={() => setReviewing(false)} onSave={apply} />}
    </Page>
  );
}
