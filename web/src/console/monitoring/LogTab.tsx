/** The log as it is written: the newest line first, secrets hidden by the process itself. */
import { Button, Group, NativeSelect, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlayerPause, IconPlayerPlay, IconTerminal2 } from "@tabler/icons-react";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { Panel } from "../parts/Panel";
import { useLog, type Line } from "./data";
import classes from "./monitoring.module.css";

const LEVELS: Line["level"][] = ["debug", "info", "warning", "error"];

export default function LogTab() {
  const { t, language } = useI18n();
  const words = t.monitoring;
  const [level, setLevel] = useState("debug");
  const [typed, setTyped] = useState("");
  const [tenant] = useDebouncedValue(typed.trim(), 250);
  const [follow, setFollow] = useState(true);
  const query = useLog(level, tenant, follow);
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });
  return (
    <>
      <Group gap="sm" mb="md">
        <NativeSelect
          aria-label={words.level}
          value={level}
          onChange={(event) => setLevel(event.currentTarget.value)}
          data={LEVELS.map((value) => ({ value, label: words.levels[value] }))}
        />
        <TextInput value={typed} onChange={(event) => setTyped(event.currentTarget.value)} placeholder={words.ofTenant} aria-label={words.ofTenant} />
        <Button
          variant="default"
          leftSection={follow ? <IconPlayerPause size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />}
          onClick={() => setFollow(!follow)}
        >
          {follow ? words.pause : words.follow}
        </Button>
        <Text size="xs" c="dimmed">
          {words.logHint}
        </Text>
      </Group>
      <Panel flush>
        <Asked query={query}>
          {(lines) =>
            lines.length === 0 ? (
              <Empty title={words.nothingLogged} icon={<IconTerminal2 size={24} />} />
            ) : (
              <div className={classes.log} role="region" aria-label={words.tabs.log} tabIndex={0}>
                <ol reversed>
                  {lines.map((line) => (
                    <li key={line.number} data-level={line.level}>
                      <time dateTime={line.at}>{clock.format(new Date(line.at))}</time>
                      <span className={classes.level}>{line.level}</span>
                      <span className={classes.said}>
                        <strong>{line.event}</strong>
                        {line.tenant && <span className={classes.tenant}>{line.tenant}</span>}
                        {Object.entries(line.fields).map(([name, value]) => (
                          <span key={name}>
                            <span className={classes.name}>{name}=</span>
                            {String(value)}
                          </span>
                        ))}
                        {line.request_id && (
                          <span>
                            <span className={classes.name}>request_id=</span>
                            {line.request_id}
                          </span>
                        )}
                      </span>
                    </li>
                  ))}
                </ol>
              </div>
            )
          }
        </Asked>
      </Panel>
    </>
  );
}
