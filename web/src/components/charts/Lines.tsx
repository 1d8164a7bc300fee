/** Several series over one axis, loaded when a page has one: drawn by Recharts, and told as a table. */
import { VisuallyHidden, useMantineTheme } from "@mantine/core";
import { useReducedMotion } from "@mantine/hooks";
import { Area, Bar, CartesianGrid, ComposedChart, Line, ResponsiveContainer, Tooltip, XAxis, YAxis, type DotItemDotProps } from "recharts";
import classes from "./Chart.module.css";
import { seriesColor } from "./colors";

export interface Series {
  name: string;
  label: string;
  /** Lines unless it says otherwise. */
  as?: "line" | "bar" | "area";
  /** Of `SERIES` in colors; its own place among the series by default. */
  color?: string;
}

export interface Moment {
  label: string;
  /** By name of the series; null is a gap. */
  values: Record<string, number | null>;
}

export interface LinesProperties {
  title: string;
  series: Series[];
  points: Moment[];
  text: (value: number) => string;
  short: (value: number) => string;
  /** There are no parts of one: the axis has whole numbers. */
  whole?: boolean;
  height?: number;
}

const FEW = 14;

export default function Lines({ title, series, points, text, short, whole = false, height = 220 }: LinesProperties) {
  const still = useReducedMotion(true);
  const { fontSizes } = useMantineTheme();
  const tick = { fill: "var(--mantine-color-dimmed)", fontSize: fontSizes.xs };
  const moving = { isAnimationActive: !still, animationDuration: 180 };
  const colored = series.map((one, at) => ({ ...one, color: one.color ?? seriesColor(at) }));
  const dot = ({ key, index, cx, cy, value, dataKey, stroke }: DotItemDotProps) =>
    value != null && (points.length < FEW || isAlone(points, index, String(dataKey))) ? <circle key={key} cx={cx} cy={cy} r={2.5} fill={stroke} /> : <g key={key} />;
  const data = points.map(({ label, values }) => ({ label, ...values }));
  return (
    <figure className={classes.figure} style={{ flexDirection: "column" }}>
      {series.length > 1 && (
        <ul className={classes.key} aria-hidden>
          {colored.map(({ name, label, color }) => (
            <li key={name}>
              <span className={classes.dot} style={{ background: color }} />
              {label}
            </li>
          ))}
        </ul>
      )}
      <div aria-hidden className={classes.plot} style={{ minHeight: height }}>
        <div className={classes.fill}>
          <ResponsiveContainer>
            <ComposedChart data={data} margin={{ top: 8, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false} barCategoryGap="25%" barGap={2}>
              <CartesianGrid vertical={false} stroke="var(--line)" />
              <XAxis dataKey="label" tick={tick} tickLine={false} axisLine={false} minTickGap={28} tickMargin={6} />
              <YAxis tick={tick} tickLine={false} axisLine={false} width={54} tickFormatter={short} allowDecimals={!whole} />
              <Tooltip content={<Told series={colored} text={text} />} cursor={{ fill: "var(--chart-hover)", stroke: "var(--line)" }} isAnimationActive={false} />
              {colored.map(({ name, as, color }) =>
                as === "bar" ? (
                  <Bar key={name} dataKey={name} fill={color} radius={[3, 3, 0, 0]} maxBarSize={28} isAnimationActive={false} />
                ) : as === "area" ? (
                  <Area key={name} dataKey={name} type="monotone" stroke={color} strokeWidth={2} fill={color} fillOpacity={0.14} dot={dot} {...moving} />
                ) : (
                  <Line key={name} dataKey={name} type="monotone" stroke={color} strokeWidth={2} dot={dot} {...moving} />
                ),
              )}
            </ComposedChart>
          </ResponsiveContainer>
        </div>
      </div>
      <VisuallyHidden>
        <table>
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">{title}</th>
              {series.map(({ name, label }) => (
                <th key={name} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {points.map(({ label, values }, at) => (
              <tr key={at}>
                <th scope="row">{label}</th>
                {series.map(({ name }) => (
                  <td key={name}>{told(values[name], text)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}

interface ToldProperties {
  series: (Series & { color: string })[];
  text: (value: number) => string;
  active?: boolean;
  label?: string | number;
  payload?: { dataKey?: string | number; value?: number | null }[];
}

function Told({ series, text, active, label, payload }: ToldProperties) {
  if (!active || !payload?.length) return null;
  const values = new Map(payload.map(({ dataKey, value }) => [String(dataKey), value]));
  return (
    <div className={classes.tip}>
      <strong>{label}</strong>
      {series.map(({ name, label: called, color }) => (
        <span key={name} className={classes.told}>
          <span className={classes.dot} style={{ background: color }} />
          <span className={classes.name}>{called}</span>
          <span className="numeric">{told(values.get(name), text)}</span>
        </span>
      ))}
    </div>
  );
}

/** A line needs two points; what has nothing before and after it would not be seen. */
const isAlone = (points: Moment[], at: number, name: string) => points[at - 1]?.values[name] == null && points[at + 1]?.values[name] == null;

const told = (value: number | null | undefined, text: (value: number) => string) => (value == null ? "–" : text(value));
