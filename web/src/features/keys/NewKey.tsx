/** Makes a key: for what, with which rights, until when. */
import { Alert, Button, Group, Modal, NativeSelect, Radio, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useRoles } from "@/features/people/people";
import { asProblem, type Problem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { entityTitle, readable } from "@/lib/schema/words";
import { makeKey, RIGHTS, type Made, type Right } from "./keys";
import classes from "./Keys.module.css";

const DAYS = [30, 90, 365, 0];

interface Properties {
  opened: boolean;
  onClose: () => void;
  onMade: (made: Made) => void;
}

export function NewKey({ opened, onClose, onMade }: Properties) {
  const { t } = useI18n();
  const done = (made: Made) => {
    onClose();
    onMade(made);
  };
  return (
    <Modal opened={opened} onClose={onClose} title={t.keys.create} size="lg">
      <Form onMade={done} onClose={onClose} />
    </Modal>
  );
}

function Form({ onMade, onClose }: { onMade: (made: Made) => void; onClose: () => void }) {
  const { t, language } = useI18n();
  const { entities } = useSchema();
  const given = useRoles().filter(({ mine }) => mine);
  const [name, setName] = useState("");
  const [kind, setKind] = useState<"secret" | "public">("secret");
  const [role, setRole] = useState("admin");
  const [days, setDays] = useState(90);
  const [narrow, setNarrow] = useState(false);
  const [rights, setRights] = useState<Record<string, Right>>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      onMade(await makeKey({ name: name.trim(), kind, role, rights: narrow ? rights : null, days }));
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  const beside = (pointer: string) => problem?.errors.find((error) => error.pointer.startsWith(pointer))?.detail;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        {problem && problem.errors.length === 0 && (
          <Alert color="red" icon={<IconAlertCircle />} role="alert" title={t.auth.failed}>
            {problem.offline ? t.shell.offlineHint : problem.message}
          </Alert>
        )}
        <TextInput label={t.keys.name} description={t.keys.nameHint} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={120} required withAsterisk={false} data-autofocus error={beside("/name")} />
        <Radio.Group label={t.keys.kind} value={kind} onChange={(value) => setKind(value === "public" ? "public" : "secret")}>
          <Stack gap="xs" mt={4}>
            <Radio value="secret" label={t.keys.secret} description={t.keys.secretHint} />
            <Radio value="public" label={t.keys.public} description={t.keys.publicHint} />
          </Stack>
        </Radio.Group>
        <Group grow align="flex-start">
          {kind === "secret" && <NativeSelect label={t.people.role} value={role} onChange={(event) => setRole(event.currentTarget.value)} data={given.map(({ name: value }) => ({ value, label: readable(value) }))} error={beside("/role")} />}
          <NativeSelect label={t.keys.ends} value={String(days)} onChange={(event) => setDays(Number(event.currentTarget.value))} data={DAYS.map((count) => ({ value: String(count), label: count ? t.keys.inDays(count) : t.keys.never }))} error={beside("/expires")} />
        </Group>
        {kind === "secret" && (
          <>
            <Switch label={t.keys.narrow} description={t.keys.narrowHint} checked={narrow} onChange={(event) => setNarrow(event.currentTarget.checked)} />
            {narrow && (
              <div className={classes.rights} role="group" aria-label={t.keys.may} tabIndex={0}>
                {Object.values(entities).map((entity) => (
                  <label key={entity.name} className={classes.right}>
                    <Text span size="sm">
                      {entityTitle(entity, language)}
                    </Text>
                    <NativeSelect
                      size="xs"
                      aria-label={entityTitle(entity, language)}
                      value={rights[entity.name] ?? "none"}
                      onChange={(event) => setRights({ ...rights, [entity.name]: event.currentTarget.value as Right })}
                      data={(Object.keys(RIGHTS) as Right[]).map((value) => ({ value, label: t.keys.rights[value] }))}
                    />
                  </label>
                ))}
              </div>
            )}
            {beside("/scopes") && (
              <Text size="xs" c="var(--mantine-color-error)">
                {beside("/scopes")}
              </Text>
            )}
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={busy} disabled={name.trim() === ""}>
            {t.keys.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
