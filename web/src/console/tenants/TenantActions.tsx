/** What can be done with a tenant as a whole; each asks for what it needs, deleting for the slug. */
import { ActionIcon, Button, Checkbox, Group, Menu, Modal, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { IconCopy, IconDots, IconDownload, IconPlayerPause, IconPlayerPlay, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { addressOf } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { call, useAct } from "../parts/act";
import type { Row } from "./data";
import { useSlug } from "./NewTenantPage";

type Dialog = "" | "suspend" | "clone" | "delete";

export function TenantActions({ tenant }: { tenant: Row }) {
  const { t } = useI18n();
  const [dialog, show] = useState<Dialog>("");
  const { slug } = tenant;
  const resume = useAct(() => call("resume_tenant", { slug }), t.tenants.resumed(slug));
  const close = () => show("");
  return (
    <>
      <Menu position="bottom-end" width={200}>
        <Menu.Target>
          <ActionIcon size={36} variant="default" aria-label={t.tenants.actions}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {tenant.status === "active" ? (
            <Menu.Item leftSection={<IconPlayerPause size={16} />} onClick={() => show("suspend")}>
              {t.tenants.suspend}
            </Menu.Item>
          ) : (
            <Menu.Item leftSection={<IconPlayerPlay size={16} />} onClick={() => resume.mutate(undefined)}>
              {t.tenants.resume}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconCopy size={16} />} onClick={() => show("clone")}>
            {t.tenants.clone}
          </Menu.Item>
          <Menu.Item leftSection={<IconDownload size={16} />} component="a" href={addressOf(`/tenants/${slug}/export`)} download>
            {t.tenants.export}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => show("delete")}>
            {t.tenants.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={dialog === "suspend"} onClose={close} title={`${t.tenants.suspend}: ${slug}`}>
        <Suspend slug={slug} done={close} />
      </Modal>
      <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={dialog === "clone"} onClose={close} title={t.tenants.cloneTitle(slug)}>
        <Clone slug={slug} done={close} />
      </Modal>
      <Modal closeButtonProps={{ "aria-label": t.common.close }} opened={dialog === "delete"} onClose={close} title={t.tenants.deleteTitle(slug)}>
        <Delete slug={slug} done={close} />
      </Modal>
    </>
  );
}

interface Properties {
  slug: string;
  done: () => void;
}

function Suspend({ slug, done }: Properties) {
  const { t } = useI18n();
  const [reason, setReason] = useState("");
  const act = useAct(() => call("suspend_tenant", { slug, reason }), t.tenants.suspended(slug), done);
  return (
    <Stack gap="md">
      <TextInput
        label={t.tenants.reason}
        description={t.tenants.suspendHint}
        value={reason}
        maxLength={500}
        data-autofocus
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Group justify="flex-end">
        <Button loading={act.isPending} onClick={() => act.mutate(undefined)}>
          {t.tenants.suspend}
        </Button>
      </Group>
    </Stack>
  );
}

function Clone({ slug, done }: Properties) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const [to, setTo] = useState("");
  const [data, setData] = useState(true);
  const [mask, setMask] = useState(true);
  const free = useSlug(to);
  const act = useAct(() => call("clone_tenant", { slug, to, data, mask }), t.tenants.cloned, () => {
    done();
    void navigate(`/tenants/${to}`);
  });
  return (
    <Stack gap="md">
      <TextInput
        label={t.tenants.cloneTo}
        value={to}
        data-autofocus
        onChange={(event) => setTo(event.currentTarget.value.toLowerCase())}
        error={free.told && !free.available ? free.told : undefined}
      />
      <Checkbox label={t.tenants.cloneData} checked={data} onChange={(event) => setData(event.currentTarget.checked)} />
      <Checkbox label={t.tenants.cloneMask} checked={mask} disabled={!data} onChange={(event) => setMask(event.currentTarget.checked)} />
      <Group justify="flex-end">
        <Button disabled={!free.available} loading={act.isPending} onClick={() => act.mutate(undefined)}>
          {t.tenants.clone}
        </Button>
      </Group>
    </Stack>
  );
}

function Delete({ slug, done }: Properties) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const [days, setDays] = useState<number | string>(30);
  const act = useAct(
    () => call("delete_tenant", { slug, confirm: typed, grace_days: Number(days) }),
    t.tenants.deleted(slug),
    () => {
      done();
      void navigate("/tenants");
    },
  );
  return (
    <Stack gap="md">
      <Text size="sm">{t.tenants.deleteHint}</Text>
      <NumberInput label={t.tenants.grace} description={t.tenants.graceNow} min={0} max={365} allowDecimal={false} value={days} onChange={setDays} />
      <TextInput label={t.tenants.typeSlug(slug)} value={typed} autoComplete="off" onChange={(event) => setTyped(event.currentTarget.value)} />
      <Group justify="flex-end">
        <Button color="red.8" disabled={typed !== slug || days === ""} loading={act.isPending} onClick={() => act.mutate(undefined)}>
          {t.tenants.remove}
        </Button>
      </Group>
    </Stack>
  );
}
