/** Asks how a tenant's actor is to be started anew, and does it. */
import { Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import { call, useAct } from "../parts/act";

export function Restart({ slug, onClose }: { slug: string; onClose: () => void }) {
  const { t } = useI18n();
  const words = t.monitoring;
  const [now, setNow] = useState(false);
  const start = useAct(() => call("restart_tenant", { slug, now }), words.restarted(slug), onClose);
  return (
    <Modal opened onClose={onClose} title={words.restartOf(slug)} closeButtonProps={{ "aria-label": t.common.close }}>
      <Stack gap="md">
        <Text size="sm">{words.restartHint}</Text>
        <Checkbox checked={now} onChange={(event) => setNow(event.currentTarget.checked)} label={words.restartNow} description={words.restartNowHint} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button loading={start.isPending} onClick={() => start.mutate(undefined)}>
            {words.restart}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
