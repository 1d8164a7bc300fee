/** Change or end a tenant's plan: what it costs is read before it is agreed to. */
import { Button, Checkbox, Group, Modal, NativeSelect, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import { call, useAct } from "../parts/act";
import { Asked } from "../parts/Asked";
import { usePlans, type Preview, type Subscription } from "./data";
import { PreviewLines } from "./PreviewLines";

interface Properties {
  slug: string;
  /** Undefined: the tenant has no plan yet. */
  subscription: Subscription | undefined;
  size?: "xs" | "sm";
}

export function PlanButtons({ slug, subscription, size = "sm" }: Properties) {
  const { t } = useI18n();
  const words = t.billing;
  const [dialog, show] = useState<"" | "change" | "cancel">("");
  const resume = useAct(() => call("set_plan", { tenant: slug, plan: subscription?.plan.name }), words.resumed);
  const ended = subscription?.status === "cancelled";
  return (
    <>
      <Button size={size} variant={subscription ? "default" : "filled"} onClick={() => show("change")}>
        {subscription ? words.change : words.choose}
      </Button>
      {subscription?.cancel_at_end && (
        <Button size={size} variant="default" loading={resume.isPending} onClick={() => resume.mutate(undefined)}>
          {words.resume}
        </Button>
      )}
      {subscription && !ended && !subscription.cancel_at_end && (
        <Button size={size} variant="subtle" color="red" onClick={() => show("cancel")}>
          {words.cancel}
        </Button>
      )}
      {dialog === "change" && <Change slug={slug} current={subscription} onClose={() => show("")} />}
      {dialog === "cancel" && subscription && <Cancel slug={slug} current={subscription} onClose={() => show("")} />}
    </>
  );
}

function Change({ slug, current, onClose }: { slug: string; current: Subscription | undefined; onClose: () => void }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const plans = usePlans();
  const [chosen, choose] = useState("");
  const preview = useQuery({
    queryKey: ["preview", slug, chosen],
    enabled: chosen !== "",
    queryFn: () => call<Preview>("preview_plan", { tenant: slug, plan: chosen }),
  });
  const set = useAct(() => call("set_plan", { tenant: slug, plan: chosen }), words.changed, onClose);
  const offered = (plans.data ?? []).filter((plan) => !plan.retired && plan.name !== current?.plan.name);
  return (
    <Modal opened onClose={onClose} title={words.changeTitle(slug)} size="lg" closeButtonProps={{ "aria-label": t.common.close }}>
      <Stack gap="md">
        <NativeSelect
          label={words.newPlan}
          description={current && words.nowOn(current.plan.title, format.money(current.plan.price, current.plan.currency))}
          value={chosen}
          onChange={(event) => choose(event.currentTarget.value)}
          data={[
            { value: "", label: words.pick, disabled: true },
            ...offered.map((plan) => ({ value: plan.name, label: words.planPrice(plan.title, format.money(plan.price, plan.currency)) })),
          ]}
          data-autofocus
        />
        {chosen && <Asked query={preview}>{(shown) => <PreviewLines preview={shown} />}</Asked>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button disabled={!preview.data} loading={set.isPending} onClick={() => set.mutate(undefined)}>
            {words.change}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Cancel({ slug, current, onClose }: { slug: string; current: Subscription; onClose: () => void }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const [now, setNow] = useState(false);
  const end = useAct(() => call("cancel_plan", { tenant: slug, now }), words.cancelled, onClose);
  return (
    <Modal opened onClose={onClose} title={words.cancelTitle(slug)} closeButtonProps={{ "aria-label": t.common.close }}>
      <Stack gap="md">
        <Text size="sm">{words.cancelHint(format.day(current.period_end))}</Text>
        <Checkbox checked={now} onChange={(event) => setNow(event.currentTarget.checked)} label={words.cancelNow} description={words.cancelNowHint} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {words.keep}
          </Button>
          <Button color="red" loading={end.isPending} onClick={() => end.mutate(undefined)}>
            {words.cancel}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
