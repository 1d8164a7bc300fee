/** The lines of the tenant's file that change, before they do. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import { changesOf } from "@/lib/yaml/dashboards";
import classes from "./editor.module.css";

const SIGNS = { same: " ", gone: "−", new: "+" };

export function Review({ before, after, onClose, onSave }: { before: string; after: string; onClose: () => void; onSave: () => Promise<void> }) {
  const { t } = useI18n();
  const [busy, setBusy] = useState(false);
  return (
    <Modal opened onClose={onClose} title={t.arranging.changes} size="xl" centered closeButtonProps={{ "aria-label": t.common.close }}>
      <Stack>
        <Text size="sm" c="dimmed">
          {t.arranging.changesHint}
        </Text>
        <div className={classes.changes} role="region" aria-label={t.arranging.changes} tabIndex={0}>
          {changesOf(before, after).map(({ kind, line, text }) => (
            <div key={`${kind} ${line}`} data-kind={kind}>
              <span aria-hidden>{line}</span>
              <code>
                {SIGNS[kind]} {text}
              </code>
            </div>
          ))}
        </div>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button
            loading={busy}
            data-autofocus
            onClick={() => {
              setBusy(true);
              void onSave().finally(() => {
                setBusy(false);
                onClose();
              });
            }}
          >
            {t.common.save}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
