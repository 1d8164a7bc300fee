/** Colours of charts: the accent first, then hues one tells apart in both schemes. */
export const SERIES = [
  "var(--mantine-color-accent-6)",
  "#e8a33d",
  "#d9607a",
  "#3d9db8",
  "#8aa13c",
  "#a06cc4",
  "#b5793f",
  "#5f7d8c",
  "#6c7ae0",
];

export const seriesColor = (at: number) => SERIES[at % SERIES.length]!;
