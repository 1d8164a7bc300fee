/** A new tenant from a template: what it begins as, then who it is, its slug looked up while it is typed. */
import { Button, Group, SimpleGrid, Stack, Stepper, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { Page } from "@/components/Page";
import { ask, get } from "@/lib/api/client";
import { useI18n } from "@/lib/i18n";
import { useAct } from "../parts/act";
import { Panel } from "../parts/Panel";
import classes from "./tenants.module.css";

export default function NewTenantPage() {
  const { t } = useI18n();
  const navigate = useNavigate();
  const [step, setStep] = useState(0);
  const [template, setTemplate] = useState("blank");
  const [form, setForm] = useState({ name: "", slug: "", owner_email: "" });
  const [own, setOwn] = useState(false);
  const put = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  const free = useSlug(form.slug);
  const create = useAct(
    () => ask("/tenants", { method: "POST", body: { ...form, owner_email: form.owner_email || undefined, template } }),
    t.tenants.created(form.slug),
    () => void navigate(`/tenants/${form.slug}`),
  );
  return (
    <Page title={t.tenants.create}>
      <Panel>
        <Stepper active={step} onStepClick={setStep} size="sm" maw={760}>
          <Stepper.Step label={t.tenants.step1}>
            <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm" pt="md" role="radiogroup" aria-label={t.tenants.template}>
              {Object.entries(t.tenants.templates).map(([name, [title, hint]]) => (
                <UnstyledButton
                  key={name}
                  role="radio"
                  aria-checked={template === name}
                  className={classes.choice}
                  onClick={() => {
                    setTemplate(name);
                    setStep(1);
                  }}
                >
                  <Text fw={600} size="sm">
                    {title}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {hint}
                  </Text>
                </UnstyledButton>
              ))}
            </SimpleGrid>
          </Stepper.Step>
          <Stepper.Step label={t.tenants.step2}>
            <form
              onSubmit={(event) => {
                event.preventDefault();
                create.mutate(undefined);
              }}
            >
              <Stack gap="md" pt="md" maw={440}>
                <TextInput
                  label={t.tenants.name}
                  value={form.name}
                  data-autofocus
                  onChange={(event) => put(own ? { name: event.currentTarget.value } : { name: event.currentTarget.value, slug: slugOf(event.currentTarget.value) })}
                />
                <TextInput
                  label={t.tenants.slug}
                  description={t.tenants.slugHint}
                  required
                  value={form.slug}
                  onChange={(event) => {
                    setOwn(true);
                    put({ slug: event.currentTarget.value.toLowerCase() });
                  }}
                  error={free.told && !free.available ? free.told : undefined}
                  rightSection={free.available && <IconCheck size={16} aria-label={t.tenants.slugFree} color="var(--mantine-color-green-7)" />}
                />
                <TextInput
                  type="email"
                  label={t.tenants.ownerEmail}
                  description={t.tenants.ownerHint}
                  value={form.owner_email}
                  onChange={(event) => put({ owner_email: event.currentTarget.value })}
                />
                <Group gap="xs">
                  <Button type="submit" loading={create.isPending} disabled={!free.available}>
                    {t.tenants.creating}
                  </Button>
                  <Button variant="default" onClick={() => setStep(0)}>
                    {t.common.back}
                  </Button>
                </Group>
              </Stack>
            </form>
          </Stepper.Step>
        </Stepper>
      </Panel>
    </Page>
  );
}

/** Whether a slug is free, asked a moment after the last key. */
export function useSlug(slug: string): { available: boolean; told: string } {
  const [asked] = useDebouncedValue(slug, 250);
  const { data } = useQuery({
    queryKey: ["slug", asked],
    enabled: asked !== "",
    queryFn: ({ signal }) =>
      get<{ available: boolean; reason?: string; suggestion?: string }>(`/tenants/check-slug?slug=${encodeURIComponent(asked)}`, signal),
  });
  if (asked !== slug || !data) return { available: false, told: "" };
  return { available: data.available, told: [data.reason, data.suggestion && `→ ${data.suggestion}`].filter(Boolean).join(" ") };
}

function slugOf(name: string): string {
  const plain = name.toLowerCase().replace(/ä/g, "ae").replace(/ö/g, "oe").replace(/ü/g, "ue").replace(/ß/g, "ss");
  return plain.normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^[^a-z]+|-+$/g, "").slice(0, 40);
}
