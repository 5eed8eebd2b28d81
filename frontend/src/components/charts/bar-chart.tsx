import { formatCount } from "@/lib/format";

import { ChartFrame, type ChartPoint, type Plot } from "./chart-frame";
import { barSlot, axisTicks } from "./scale";

export interface BarPoint extends ChartPoint {
  /** One value per series. */
  values: readonly number[];
}

export interface Series {
  name: string;
  /** A CSS colour, e.g. `var(--ok)`. */
  colour: string;
}

interface Props {
  description: string;
  points: readonly BarPoint[];
  /** In stacking order, bottom first. */
  series: readonly Series[];
}

/** Stacked bars of integer counts over time. */
export function BarChart({ description, points, series }: Props) {
  const maximum = Math.max(0, ...points.map((point) => sum(point.values)));
  return (
    <div className="grid gap-3">
      <Legend series={series} />
      <ChartFrame
        description={description}
        points={points}
        axis={axisTicks(maximum, 3, true)}
        formatAxis={formatCount}
        columns={series.map((one) => one.name)}
        colours={series.map((one) => one.colour)}
        rowValues={(index) => (points[index]?.values ?? []).map(String)}
        renderPlot={(plot) =>
          points.map((point, index) => (
            <Bar
              key={point.label}
              values={point.values}
              series={series}
              plot={plot}
              slot={barSlot(index, points.length, plot.width)}
              index={index}
            />
          ))
        }
      />
    </div>
  );
}

interface BarProps {
  values: readonly number[];
  series: readonly Series[];
  plot: Plot;
  slot: { x: number; width: number };
  index: number;
}

function Bar({ values, series, plot, slot, index }: BarProps) {
  return (
    <g opacity={plot.active === null || plot.active === index ? 1 : 0.45}>
      {values.map((value, part) => {
        const from = plot.y(sum(values.slice(0, part)));
        const to = plot.y(sum(values.slice(0, part + 1)));
        if (value <= 0) return null;
        return (
          <rect
            key={part}
            x={slot.x}
            width={slot.width}
            y={to}
            // A gap of one pixel separates the segments for users who cannot tell the colours apart.
            height={Math.max(1, from - to - (part > 0 ? 1 : 0))}
            rx={1.5}
            fill={series[part]?.colour}
          />
        );
      })}
    </g>
  );
}

function Legend({ series }: { series: readonly Series[] }) {
  return (
    <ul className="flex flex-wrap gap-x-3 gap-y-1 text-xs text-ink-soft">
      {series.map((one) => (
        <li key={one.name} className="flex items-center gap-1.5">
          <span aria-hidden className="size-2 rounded-xs" style={{ background: one.colour }} />
          {one.name}
        </li>
      ))}
    </ul>
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
