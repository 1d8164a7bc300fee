/** One figure as a chart, and its points as a file. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Lines } from "@/components/charts";
import { Empty } from "@/components/Empty";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import { saveCsv } from "../parts/csv";
import { Panel } from "../parts/Panel";
import { askFigure, FIGURES } from "./figures";
import { rangeOf, type Span } from "./ranges";
import { textOf } from "./units";

export function FigurePanel({ name, span, tenants }: { name: string; span: Span; tenants: string[] }) {
  const { t, format, language } = useI18n();
  const words = t.analytics;
  const figure = FIGURES[name]!;
  const title = words.figures[name]!;
  const query = useQuery({
    queryKey: ["figure", name, span, tenants, language],
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => askFigure(figure, rangeOf(span, Date.now()), tenants, language, signal),
  });
  const compared = tenants.length > 1;
  const first = figure.values.length > 1 ? words.values[figure.values[0]!] : undefined;
  const series = compared
    ? tenants.map((tenant) => ({ name: tenant, label: tenant }))
    : figure.values.map((value) => ({ name: value, label: words.values[value] ?? title, ...(figure.values.length === 1 && { as: "area" as const }) }));
  const save = () =>
    query.data &&
    saveCsv(
      `${name}-${span}`,
      ["at", ...series.map((one) => one.name)],
      query.data.points.map(({ values }, at) => [new Date(query.data.at[at]!).toISOString(), ...series.map((one) => values[one.name])]),
    );
  return (
    <Panel
      title={compared && first !== undefined && first !== title ? `${title}, ${first}` : title}
      actions={
        <Tooltip label={words.csvOf(title)}>
          <ActionIcon aria-label={words.csvOf(title)} onClick={save} disabled={!query.data}>
            <IconDownload size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      }
    >
      <Asked query={query}>
        {({ points }) =>
          points.every(({ values }) => series.every(({ name: of }) => values[of] == null)) ? (
            <Empty title={words.unknown} />
          ) : (
            <Lines
              title={title}
              series={series}
              points={points}
              text={textOf(figure.unit, format, words.milliseconds)}
              short={shortOf(figure.unit, format)}
              whole={figure.unit === "number"}
            />
          )
        }
      </Asked>
    </Panel>
  );
}

const shortOf = (unit: string, format: { bytes: (value: number) => string; short: (value: number) => string }) =>
  unit === "bytes" ? format.bytes : format.short;
