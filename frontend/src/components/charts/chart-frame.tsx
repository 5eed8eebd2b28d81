import { useState, type PointerEvent, type ReactNode } from "react";

import { useElementWidth } from "@/hooks/use-element-width";

import { barHeight as toPixels, labelIndexes, slotCentre, slotIndexAt } from "./scale";

const LEFT = 44;
const TOP = 8;
const BOTTOM = 22;
const BUBBLE = 168;

export interface ChartPoint {
  /** The whole time of the point, for the bubble and the table. */
  label: string;
  /** A short one for the axis. */
  tick: string;
}

/** What a drawing is given: the box in pixels, whose origin is at the top left of the plot. */
export interface Plot {
  width: number;
  height: number;
  y: (value: number) => number;
  active: number | null;
}

interface Props {
  /** What is drawn, in one sentence, for who does not see it. */
  sentence: string;
  points: readonly ChartPoint[];
  axis: readonly number[];
  formatAxis: (value: number) => string;
  /** The names of the columns and the words of each row, for the bubble and the table. */
  columns: readonly string[];
  row: (index: number) => readonly string[];
  /** A mark of each column's colour, when there are several. */
  marks?: readonly string[];
  pixels?: number;
  renderPlot: (plot: Plot) => ReactNode;
}

/** What all charts share: axes, the value under the pointer or the arrow keys, and the table. */
export function ChartFrame(props: Props) {
  const { sentence, points, pixels = 160 } = props;
  const [measure, width] = useElementWidth();
  const [active, setActive] = useState<number | null>(null);
  const plotWidth = Math.max(0, width - LEFT);
  return (
    <figure className="grid gap-2">
      <div
        ref={measure}
        className="relative rounded-sm has-focus-visible:outline-2 has-focus-visible:outline-accent"
        style={{ height: pixels + TOP + BOTTOM }}
      >
        {plotWidth > 0 && (
          <>
            <Drawing {...props} pixels={pixels} width={plotWidth} active={active} />
            <Scrubber
              {...props}
              key={points.length}
              width={plotWidth}
              active={active}
              onMove={setActive}
            />
            {active !== null && points[active] && (
              <Bubble {...props} index={active} width={plotWidth} />
            )}
          </>
        )}
      </div>
      <figcaption className="sr-only">{sentence}</figcaption>
      <Numbers {...props} />
    </figure>
  );
}

function Drawing({
  sentence,
  points,
  axis,
  formatAxis,
  renderPlot,
  pixels,
  width,
  active,
}: Props & { pixels: number; width: number; active: number | null }) {
  const max = axis.at(-1) ?? 1;
  const y = (value: number) => pixels - toPixels(value, max, pixels);
  return (
    <svg role="img" aria-label={sentence} width={width + LEFT} height={pixels + TOP + BOTTOM}>
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
            y={pixels + 16}
            textAnchor="middle"
          >
            {points[index]?.tick}
          </text>
        ))}
        {renderPlot({ width, height: pixels, y, active })}
      </g>
    </svg>
  );
}

/** A slider without looks over the plot: arrow keys, a finger or the pointer choose a point. */
function Scrubber({
  points,
  columns,
  row,
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
  const words = row(at)
    .map((value, column) => `${columns[column]} ${value}`)
    .join(", ");
  return (
    <input
      type="range"
      min={0}
      max={Math.max(0, points.length - 1)}
      value={at}
      aria-label="Point in time"
      aria-valuetext={`${points[at]?.label ?? ""}: ${words}`}
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

function Bubble({
  points,
  columns,
  row,
  marks,
  index,
  width,
}: Props & { index: number; width: number }) {
  const centre = LEFT + slotCentre(index, points.length, width);
  const left = Math.min(Math.max(centre - BUBBLE / 2, 0), width + LEFT - BUBBLE);
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute -top-2 z-10 -translate-y-full rounded-md border bg-raised px-2.5 py-1.5 text-xs shadow-lg"
      style={{ left, width: BUBBLE }}
    >
      <p className="mb-0.5 font-medium">{points[index]?.label}</p>
      {row(index).map((value, column) => (
        <p key={columns[column]} className="flex items-center gap-1.5 text-ink-soft">
          {marks && <span className="size-2 rounded-xs" style={{ background: marks[column] }} />}
          {columns[column]}
          <span className="ml-auto text-ink">{value}</span>
        </p>
      ))}
    </div>
  );
}

/** The same figures to read. */
function Numbers({ points, columns, row, sentence }: Props) {
  return (
    <details className="text-xs">
      <summary className="w-fit cursor-pointer rounded-sm py-1 text-ink-faint hover:text-ink">
        Show as a table
      </summary>
      <div
        role="region"
        aria-label={`Table: ${sentence}`}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
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
                {row(index).map((value, column) => (
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
