/** A new key: it is shown here and nowhere again. */
import { Alert, Button, Code, CopyButton, Group, Modal, Stack } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconCopy } from "@tabler/icons-react";
import { useI18n } from "@/lib/i18n";
import type { Made } from "./keys";
import classes from "./Keys.module.css";

export function ShownOnce({ made, onClose }: { made: Made | null; onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Modal opened={made !== null} onClose={onClose} title={t.keys.made} closeOnClickOutside={false}>
      {made && (
        <Stack>
          <Alert color="yellow" icon={<IconAlertTriangle />}>
            {t.keys.once}
          </Alert>
          <Code className={classes.once!}>{made.key}</Code>
          <Group justify="flex-end">
            <CopyButton value={made.key} timeout={2000}>
              {({ copied, copy }) => (
                <Button variant="default" leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />} onClick={copy}>
                  {copied ? t.common.copied : t.common.copy}
                </Button>
              )}
            </CopyButton>
            <Button onClick={onClose}>{t.keys.kept}</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
