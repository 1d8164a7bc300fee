/** The charts as pages use them: Recharts comes when it is needed, its place is kept until then. */
import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { ChartProperties } from "./Chart";
import type { LinesProperties } from "./Lines";

const Drawn = lazy(() => import("./Chart"));
const DrawnLines = lazy(() => import("./Lines"));

export function Chart(properties: ChartProperties) {
  return (
    <Suspense fallback={<Skeleton h={properties.height ?? 220} />}>
      <Drawn {...properties} />
    </Suspense>
  );
}

export function Lines(properties: LinesProperties) {
  return (
    <Suspense fallback={<Skeleton h={properties.height ?? 220} />}>
      <DrawnLines {...properties} />
    </Suspense>
  );
}
