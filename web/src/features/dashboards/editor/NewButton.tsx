/** The way to a new dashboard, for who may write the tenant's file: its title, then its widgets. */
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useI18n } from "@/lib/i18n";
import { nameFor } from "@/lib/yaml/dashboards";
import { useFile } from "./file";

export function NewButton() {
  const { t } = useI18n();
  const navigate = useNavigate();
  const { data: file } = useFile();
  const [open, setOpen] = useState(false);
  const [title, setTitle] = useState("");
  if (!file) return null;
  return (
    <>
      <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen(true)}>
        {t.arranging.create}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={t.arranging.create} centered closeButtonProps={{ "aria-label": t.common.close }}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const called = title.trim();
            if (called) void navigate(`/dashboards/${nameFor(file.text, called)}/edit?title=${encodeURIComponent(called)}`);
          }}
        >
          <Stack>
            <TextInput label={t.arranging.name} value={title} onChange={(event) => setTitle(event.currentTarget.value)} maxLength={100} required data-autofocus />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setOpen(false)}>
                {t.common.cancel}
              </Button>
              <Button type="submit" disabled={title.trim() === ""}>
                {t.arranging.next}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
