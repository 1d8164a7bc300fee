/** A chart of points: drawn by Recharts, and told as a table to who cannot see it. Loaded when a page has one. */
import { VisuallyHidden, useMantineTheme } from "@mantine/core";
import { useReducedMotion } from "@mantine/hooks";
import { Area, AreaChart, Bar, BarChart, CartesianGrid, Cell, Line, LineChart, Pie, PieChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import classes from "./Chart.module.css";
import { seriesColor } from "./colors";

export interface Drawn {
  label: string;
  value: number;
}

export interface ChartProperties {
  type: "line" | "bar" | "area" | "pie";
  /** What the chart is about, and what its points and values are called. */
  title: string;
  valueTitle: string;
  points: Drawn[];
  /** The points are steps of time: columns side by side; else bars below each other. */
  time: boolean;
  text: (value: number) => string;
  short: (value: number) => string;
  height?: number;
}

const ACCENT = "var(--chart-accent)";

export default function Chart(properties: ChartProperties) {
  const { title, valueTitle, points, text, type, time, height = 220 } = properties;
  const flat = type === "bar" && !time;
  return (
    <figure className={classes.figure}>
      <div aria-hidden className={classes.plot} style={{ minHeight: flat ? Math.max(height, points.length * 30 + 10) : height }}>
        <div className={classes.fill}>{type === "pie" ? <Shares {...properties} /> : <Plot {...properties} flat={flat} />}</div>
      </div>
      <VisuallyHidden>
        <table>
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">{title}</th>
              <th scope="col">{valueTitle}</th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ label, value }, at) => (
              <tr key={at}>
                <th scope="row">{label}</th>
                <td>{text(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}

function Plot({ type, points, text, short, valueTitle, flat }: ChartProperties & { flat: boolean }) {
  const still = useReducedMotion(true);
  const { fontSizes } = useMantineTheme();
  const tick = { fill: "var(--mantine-color-dimmed)", fontSize: fontSizes.xs };
  const common = {
    data: points,
    margin: { top: 8, right: flat ? 56 : 8, bottom: 0, left: 0 },
    accessibilityLayer: false,
  };
  const label = <XAxis dataKey="label" tick={tick} tickLine={false} axisLine={false} minTickGap={24} tickMargin={6} />;
  const scale = <YAxis tick={tick} tickLine={false} axisLine={false} width={46} tickFormatter={short} />;
  const grid = <CartesianGrid vertical={false} stroke="var(--line)" />;
  const tip = <Tooltip content={<Tip text={text} title={valueTitle} />} cursor={{ fill: "var(--chart-hover)", stroke: "var(--line)" }} isAnimationActive={false} />;
  if (type === "bar")
    return (
      <ResponsiveContainer>
        <BarChart {...common} layout={flat ? "vertical" : "horizontal"} barCategoryGap={flat ? 6 : "20%"}>
          {flat ? (
            <>
              <XAxis type="number" hide />
              <YAxis type="category" dataKey="label" tick={tick} tickFormatter={clipped} tickLine={false} axisLine={false} width={148} interval={0} />
            </>
          ) : (
            <>
              {grid}
              {label}
              {scale}
            </>
          )}
          {tip}
          <Bar
            dataKey="value"
            fill={ACCENT}
            radius={flat ? [0, 4, 4, 0] : [4, 4, 0, 0]}
            maxBarSize={flat ? 20 : 40}
            isAnimationActive={false}
            label={flat ? { position: "right", formatter: (value: unknown) => short(Number(value)), ...tick } : false}
          />
        </BarChart>
      </ResponsiveContainer>
    );
  if (type === "area")
    return (
      <ResponsiveContainer>
        <AreaChart {...common}>
          {grid}
          {label}
          {scale}
          {tip}
          <Area dataKey="value" type="monotone" stroke={ACCENT} strokeWidth={2} fill={ACCENT} fillOpacity={0.16} isAnimationActive={!still} animationDuration={180} />
        </AreaChart>
      </ResponsiveContainer>
    );
  return (
    <ResponsiveContainer>
      <LineChart {...common}>
        {grid}
        {label}
        {scale}
        {tip}
        <Line dataKey="value" type="monotone" stroke={ACCENT} strokeWidth={2} dot={points.length < 14 ? { r: 2.5, fill: ACCENT } : false} isAnimationActive={!still} animationDuration={180} />
      </LineChart>
    </ResponsiveContainer>
  );
}

function Shares({ points, text }: ChartProperties) {
  const still = useReducedMotion(true);
  const total = points.reduce((sum, { value }) => sum + Math.max(0, value), 0);
  return (
    <div className={classes.shares}>
      <div className={classes.ring}>
        <ResponsiveContainer>
          <PieChart accessibilityLayer={false}>
            <Pie rootTabIndex={-1} data={points} dataKey="value" nameKey="label" innerRadius="62%" outerRadius="100%" paddingAngle={1.5} stroke="none" startAngle={90} endAngle={-270} isAnimationActive={!still} animationDuration={180}>
              {points.map((_, at) => (
                <Cell key={at} fill={seriesColor(at)} />
              ))}
            </Pie>
            <Tooltip content={<Tip text={text} title="" />} isAnimationActive={false} />
          </PieChart>
        </ResponsiveContainer>
      </div>
      <ul className={classes.legend}>
        {points.map(({ label, value }, at) => (
          <li key={at}>
            <span className={classes.dot} style={{ background: seriesColor(at) }} />
            <span className={classes.name}>{label}</span>
            <span className="numeric">{total > 0 ? `${Math.round((100 * value) / total)} %` : "–"}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface TipProperties {
  text: (value: number) => string;
  title: string;
  active?: boolean;
  label?: string | number;
  payload?: { value?: number; name?: string }[];
}

function Tip({ text, title, active, label, payload }: TipProperties) {
  const point = payload?.[0];
  if (!active || point === undefined) return null;
  return (
    <div className={classes.tip}>
      <strong>{label ?? point.name}</strong>
      <span className="numeric">
        {title && `${title}: `}
        {text(Number(point.value))}
      </span>
    </div>
  );
}

/** One line, whatever its words. */
const clipped = (label: string) => (label.length > 18 ? `${label.slice(0, 17)}…` : label).replace(/ /g, "\u00a0");
