/** What one may do with a row in its workflow, as buttons; what its condition forbids says why when asked. */
import { Button, Menu, Tooltip } from "@mantine/core";
import { IconChevronDown, IconLock } from "@tabler/icons-react";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import type { Entity } from "@/lib/schema/types";
import { titleOf } from "@/lib/schema/words";
import { useMove } from "./move";
import { useStanding } from "./transitions";

export function Buttons({ entity, id, version }: { entity: Entity; id: string; version: unknown }) {
  const { t, language } = useI18n();
  const { data } = useStanding(entity, id, version);
  const move = useMove(entity);
  const [busy, setBusy] = useState("");
  if (data === undefined || entity.workflow === undefined) return null;
  const { transitions } = entity.workflow;
  const open = data.transitions.map(({ name }) => name);
  const closed = Object.entries(transitions)
    .filter(([name, way]) => way.mine && way.sources.includes(data.state) && !open.includes(name))
    .map(([name]) => name);
  const title = (name: string) => titleOf(transitions[name]?.title, name, language);
  const go = async (name: string) => {
    setBusy(name);
    await move(id, name);
    setBusy("");
  };
  const [first, ...others] = open;
  return (
    <>
      {first && (
        <Button loading={busy === first} onClick={() => void go(first)}>
          {title(first)}
        </Button>
      )}
      {!first && closed.length === 1 && (
        <Tooltip label={t.flow.whyNot}>
          <Button variant="default" leftSection={<IconLock size={16} aria-hidden />} loading={busy !== ""} onClick={() => void go(closed[0]!)}>
            {title(closed[0]!)}
          </Button>
        </Tooltip>
      )}
      {others.length + closed.length > (first ? 0 : 1) && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />} loading={busy !== "" && busy !== first}>
              {t.flow.title}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {others.map((name) => (
              <Menu.Item key={name} onClick={() => void go(name)}>
                {title(name)}
              </Menu.Item>
            ))}
            {closed.map((name) => (
              <Menu.Item key={name} leftSection={<IconLock size={16} aria-hidden />} title={t.flow.whyNot} onClick={() => void go(name)}>
                {title(name)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}
