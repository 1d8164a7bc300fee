/** A function with an input of one's own: tried without a trace, or, called by name, run as programs call it. */
import { Alert, Button, Group, SegmentedControl, Select, Stack, Text } from "@mantine/core";
import { IconPlayerPlay, IconTestPipe } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Opening } from "@/components/Opening";
import { FieldInput } from "@/components/inputs/FieldInput";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { useI18n } from "@/lib/i18n";
import { partsOf } from "@/lib/schema/nested";
import { fieldTitle } from "@/lib/schema/words";
import { fieldsOf, newestRow, RPC, runNow, tryOut, useEntityOf, type Listed, type Result } from "./data";
import { Outcome } from "./Outcome";

const JsonEditor = lazy(async () => ({ default: (await import("./JsonEditor")).JsonEditor }));
type Input = Record<string, unknown>;

export function TryPanel({ slug, tried }: { slug: string; tried: Listed }) {
  const { t, language } = useI18n();
  const [about, setAbout] = useState(tried.entities[0] ?? "");
  const { data: entity } = useEntityOf(slug, about);
  const fields = entity ? fieldsOf(entity) : partsOf(tried.args ?? {});
  const [input, setInput] = useState<Input>({});
  const [way, setWay] = useState<"form" | "json">(tried.args?.properties || about ? "form" : "json");
  // what the editor begins with; it has its text for itself after that
  const [start, setStart] = useState("{}");
  const [broken, setBroken] = useState(false);
  const byName = tried.triggers.includes(RPC);
  const work = useMutation<Result, Error, "try" | "run">({
    mutationFn: (how) => (how === "run" ? runNow(slug, tried.name, input) : tryOut(slug, tried.name, about, input, null)),
    onSuccess: (_, how) => how === "run" && void queries.invalidateQueries({ queryKey: ["executions", slug] }),
  });
  const show = (next: Input) => {
    setInput(next);
    setStart(JSON.stringify(next, null, 2));
    setBroken(false);
  };
  const fill = useMutation({ mutationFn: () => newestRow(slug, entity!), onSuccess: show });
  const read = (text: string) => {
    try {
      const next: unknown = JSON.parse(text);
      const whole = typeof next === "object" && next !== null && !Array.isArray(next);
      setBroken(!whole);
      if (whole) setInput(next as Input);
    } catch {
      setBroken(true);
    }
  };
  return (
    <Stack gap="md">
      {tried.entities.length > 1 && (
        <Select label={t.operate.entity} data={tried.entities} value={about} allowDeselect={false} onChange={(next) => next && setAbout(next)} />
      )}
      <Group justify="space-between" gap="xs">
        <SegmentedControl
          size="xs"
          aria-label={t.runs.input}
          value={way}
          onChange={(next) => {
            if (next === "json") show(input);
            setWay(next as typeof way);
          }}
          data={[
            { value: "form", label: t.runs.form },
            { value: "json", label: "JSON" },
          ]}
        />
        {entity && (
          <Button size="compact-xs" variant="default" loading={fill.isPending} onClick={() => fill.mutate()}>
            {t.runs.newest}
          </Button>
        )}
      </Group>
      {way === "json" ? (
        <Suspense fallback={<Opening />}>
          <JsonEditor start={start} label={t.runs.input} onChange={read} />
        </Suspense>
      ) : fields.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t.runs.noFields}
        </Text>
      ) : (
        <Stack gap="sm">
          {fields.map((field) => (
            <FieldInput
              key={field.name}
              field={field}
              label={fieldTitle(field, language)}
              required={field.required}
              description={field.schema.description}
              value={input[field.name] ?? null}
              onChange={(value) => setInput((before) => ({ ...before, [field.name]: value }))}
            />
          ))}
        </Stack>
      )}
      {broken && (
        <Alert color="yellow" role="alert">
          {t.runs.broken}
        </Alert>
      )}
      <Group gap="xs">
        <Button leftSection={<IconTestPipe size={16} aria-hidden />} disabled={broken} loading={work.isPending} onClick={() => work.mutate("try")}>
          {t.runs.try}
        </Button>
        {byName && (
          <Button variant="default" leftSection={<IconPlayerPlay size={16} aria-hidden />} disabled={broken} loading={work.isPending} onClick={() => work.mutate("run")}>
            {t.runs.run}
          </Button>
        )}
      </Group>
      <Text size="xs" c="dimmed">
        {byName ? t.runs.tryHintByName : t.runs.tryHint}
      </Text>
      {work.error && <Trouble problem={asProblem(work.error)} />}
      {work.data && <Outcome result={work.data} file={tried.kind === "python" ? `${slug}.py` : tried.runs} />}
    </Stack>
  );
}
