/** Second factors one has: adding and removing them. */
import { Button, Group, Modal, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconShieldLock } from "@tabler/icons-react";
import { useState } from "react";
import { sayRefused } from "@/components/undo";
import { removeFactor, useFactors } from "@/features/auth/factors";
import { NewFactor } from "@/features/auth/SecondFactor";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";
import { Section } from "./Section";

export function Factors() {
  const { t, format } = useI18n();
  const [adding, setAdding] = useState(false);
  const { data } = useFactors();
  const again = () => void queries.invalidateQueries({ queryKey: ["factors"] });
  return (
    <Section title={t.account.factors} hint={t.account.factorsHint}>
      {data?.length === 0 && <Text size="sm">{t.account.noFactors}</Text>}
      {data?.map((factor) => (
        <Group key={factor.id} justify="space-between">
          <Group gap="sm">
            <IconShieldLock size={20} aria-hidden />
            <Text size="sm">
              {factor.friendly_name || t.account.factor} <Text span c="dimmed">{t.account.since(format.moment(factor.created_at))}</Text>
            </Text>
          </Group>
          <Button size="xs" variant="default" onClick={() => void removeFactor(factor.id).then(again, sayRefused)}>
            {t.common.remove}
          </Button>
        </Group>
      ))}
      <Group>
        <Button variant="default" onClick={() => setAdding(true)}>
          {t.account.enrol}
        </Button>
      </Group>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t.account.enrol}>
        <NewFactor
          onDone={() => {
            setAdding(false);
            notifications.show({ message: t.account.factorAdded });
            again();
          }}
        />
      </Modal>
    </Section>
  );
}
