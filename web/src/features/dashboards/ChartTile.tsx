/** A line, area, pie or bars over figures of the API. */
import { Skeleton } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Chart } from "@/components/charts";
import { asProblem } from "@/lib/api/problem";
import { fieldAt } from "@/lib/figures/query";
import { fetchSeries, isTime } from "@/lib/figures/series";
import { figureText, figureTitle, splitText } from "@/lib/figures/words";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import type { Widget } from "@/lib/schema/types";
import { TileEmpty, TileTrouble } from "./TileTrouble";
import { EVERY } from "./widgets";

export function ChartTile({ widget, title }: { widget: Widget; title: string }) {
  const { t, language, format } = useI18n();
  const schema = useSchema();
  const { data, error, refetch } = useQuery({
    queryKey: ["figures", schema.version, widget],
    queryFn: ({ signal }) => fetchSeries(schema, widget, signal),
    refetchInterval: EVERY,
    placeholderData: keepPreviousData,
  });
  if (data === undefined) return error ? <TileTrouble problem={asProblem(error)} onRetry={() => void refetch()} /> : <Skeleton h={220} />;
  if (data.length === 0) return <TileEmpty />;
  const entity = schema.entities[widget.entity]!;
  const field = widget.by ? fieldAt(schema, entity, widget.by) : undefined;
  const value = figureTitle(schema, entity, widget.value, t.figures, language);
  return (
    <Chart
      type={widget.type as "line" | "bar" | "area" | "pie"}
      title={title}
      valueTitle={value}
      time={isTime(field?.kind)}
      points={data.map((point) => ({
        label: widget.by ? splitText(field, point.by, widget.every, language, t.figures.without) : value,
        value: Number(point.value ?? 0),
      }))}
      text={(number) => figureText(schema, entity, widget.value, number, format)}
      short={format.short}
    />
  );
}
