/** The chart as pages use it: Recharts comes when it is needed, its place is kept until then. */
import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { ChartProperties } from "./Chart";

const Drawn = lazy(() => import("./Chart"));

export function Chart(properties: ChartProperties) {
  return (
    <Suspense fallback={<Skeleton h={properties.height ?? 220} />}>
      <Drawn {...properties} />
    </Suspense>
  );
}
