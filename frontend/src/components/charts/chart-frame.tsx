import { useState, type PointerEvent, type ReactNode } from "react";

import { useElementWidth } from "@/hooks/use-element-width";

import { barHeight, labelIndexes, slotCentre, slotIndexAt } from "./scale";

const LEFT = 44;
const TOP = 8;
const BOTTOM = 22;
const TOOLTIP_WIDTH = 168;

export interface ChartPoint {
  /** The time range of the point, for the tooltip and the table. */
  label: string;
  /** A short label for the axis. */
  tick: string;
}

/** The plot area in pixels, with its origin at the top left. */
export interface Plot {
  width: number;
  height: number;
  y: (value: number) => number;
  active: number | null;
}

interface Props {
  /** Describes the chart for screen readers. */
  description: string;
  points: readonly ChartPoint[];
  axis: readonly number[];
  formatAxis: (value: number) => string;
  /** Column names and the formatted values of each row, for the tooltip and the table. */
  columns: readonly string[];
  rowValues: (index: number) => readonly string[];
  /** The colour of each column, when there are several. */
  colours?: readonly string[];
  plotHeight?: number;
  renderPlot: (plot: Plot) => ReactNode;
}

/** Axes, tooltip, keyboard access and data table of a chart. */
export function ChartFrame(props: Props) {
  const { description, points, plotHeight = 160 } = props;
  const [ref, width] = useElementWidth();
  const [active, setActive] = useState<number | null>(null);
  const plotWidth = Math.max(0, width - LEFT);
  return (
    <figure className="grid gap-2">
      <div
        ref={ref}
        className="relative rounded-sm has-focus-visible:outline-2 has-focus-visible:outline-accent"
        style={{ height: plotHeight + TOP + BOTTOM }}
      >
        {plotWidth > 0 && (
          <>
            <ChartSvg {...props} plotHeight={plotHeight} width={plotWidth} active={active} />
            <Scrubber
              {...props}
              key={points.length}
              width={plotWidth}
              active={active}
              onMove={setActive}
            />
            {active !== null && points[active] && (
              <ValueTooltip {...props} index={active} width={plotWidth} />
            )}
          </>
        )}
      </div>
      <figcaption className="sr-only">{description}</figcaption>
      <ValueTable {...props} />
    </figure>
  );
}

function ChartSvg({
  description,
  points,
  axis,
  formatAxis,
  renderPlot,
  plotHeight,
  width,
  active,
}: Props & { plotHeight: number; width: number; active: number | null }) {
  const max = axis.at(-1) ?? 1;
  const y = (value: number) => plotHeight - barHeight(value, max, plotHeight);
  return (
    <svg
      role="img"
      aria-label={description}
      width={width + LEFT}
      height={plotHeight + TOP + BOTTOM}
    >
      <g transform={`translate(${LEFT} ${TOP})`} className="fill-ink-faint text-[11px]">
        {axis.map((value) => (
          <g key={value}>
            <line x2={width} y1={y(value)} y2={y(value)} className="stroke-line" />
            <text x={-8} y={y(value)} dy="0.32em" textAnchor="end">
              {formatAxis(value)}
            </text>
          </g>
        ))}
        {labelIndexes(points.length, width).map((index) => (
          <text
            key={index}
            x={slotCentre(index, points.length, width)}
            y={plotHeight + 16}
            textAnchor="middle"
          >
            {points[index]?.tick}
          </text>
        ))}
        {renderPlot({ width, height: plotHeight, y, active })}
      </g>
    </svg>
  );
}

/** An invisible slider over the plot: arrow keys, touch or the pointer select a point. */
function Scrubber({
  points,
  columns,
  rowValues,
  width,
  active,
  onMove,
}: Props & {
  width: number;
  active: number | null;
  onMove: (index: number | null) => void;
}) {
  const at = active ?? points.length - 1;
  const follow = (event: PointerEvent<HTMLInputElement>) => {
    const { left } = event.currentTarget.getBoundingClientRect();
    onMove(slotIndexAt(event.clientX - left, points.length, width));
  };
  const values = rowValues(at)
    .map((value, column) => `${columns[column]} ${value}`)
    .join(", ");
  return (
    <input
      type="range"
      min={0}
      max={Math.max(0, points.length - 1)}
      value={at}
      aria-label="Point in time"
      aria-valuetext={`${points[at]?.label ?? ""}: ${values}`}
      onChange={(event) => onMove(Number(event.target.value))}
      onFocus={(event) => event.target.matches(":focus-visible") && onMove(at)}
      onBlur={() => onMove(null)}
      onPointerMove={follow}
      onPointerLeave={() => onMove(null)}
      className="absolute top-0 h-full touch-pan-y opacity-0"
      style={{ left: LEFT, width }}
    />
  );
}

function ValueTooltip({
  points,
  columns,
  rowValues,
  colours,
  index,
  width,
}: Props & { index: number; width: number }) {
  const centre = LEFT + slotCentre(index, points.length, width);
  const left = Math.min(Math.max(centre - TOOLTIP_WIDTH / 2, 0), width + LEFT - TOOLTIP_WIDTH);
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute -top-2 z-10 -translate-y-full rounded-md border bg-raised px-2.5 py-1.5 text-xs shadow-lg"
      style={{ left, width: TOOLTIP_WIDTH }}
    >
      <p className="mb-0.5 font-medium">{points[index]?.label}</p>
      {rowValues(index).map((value, column) => (
        <p key={columns[column]} className="flex items-center gap-1.5 text-ink-soft">
          {colours && (
            <span className="size-2 rounded-xs" style={{ background: colours[column] }} />
          )}
          {columns[column]}
          <span className="ml-auto text-ink">{value}</span>
        </p>
      ))}
    </div>
  );
}

/** The values of the chart as a table. */
function ValueTable({ points, columns, rowValues, description }: Props) {
  return (
    <details className="text-xs">
      <summary className="w-fit cursor-pointer rounded-sm py-1 text-ink-faint hover:text-ink">
        Show as table
      </summary>
      <div
        role="region"
        aria-label={`Table: ${description}`}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll container must be reachable by keyboard
        tabIndex={0}
        className="mt-1 max-h-56 overflow-auto rounded-md border"
      >
        <table className="w-full text-right">
          <thead className="sticky top-0 bg-sunken">
            <tr>
              <th scope="col" className="px-2 py-1 text-left font-medium">
                Time
              </th>
              {columns.map((column) => (
                <th key={column} scope="col" className="px-2 py-1 font-medium">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {points.map((point, index) => (
              <tr key={point.label} className="border-t">
                <th scope="row" className="px-2 py-1 text-left font-normal whitespace-nowrap">
                  {point.label}
                </th>
                {rowValues(index).map((value, column) => (
                  <td key={columns[column]} className="px-2 py-1">
                    {value}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
