import { ChartFrame, type ChartPoint, type Plot } from "./chart-frame";
import { linePath, slotCentre, axisTicks } from "./scale";

export interface LinePoint extends ChartPoint {
  /** Unknown values leave a gap. */
  value: number | null;
}

interface Props {
  description: string;
  points: readonly LinePoint[];
  /** What is measured, e.g. `Cost`. */
  name: string;
  format: (value: number) => string;
  colour?: string;
}

/** One value over time. */
export function LineChart({ description, points, name, format, colour = "var(--accent)" }: Props) {
  const maximum = Math.max(0, ...points.map((point) => point.value ?? 0));
  return (
    <ChartFrame
      description={description}
      points={points}
      axis={axisTicks(maximum)}
      formatAxis={format}
      columns={[name]}
      rowValues={(index) => {
        const value = points[index]?.value;
        return [value == null ? "–" : format(value)];
      }}
      renderPlot={(plot) => <Line points={points} plot={plot} colour={colour} />}
    />
  );
}

function Line({
  points,
  plot,
  colour,
}: {
  points: readonly LinePoint[];
  plot: Plot;
  colour: string;
}) {
  const positions = points.map((point, index) =>
    point.value === null
      ? null
      : { x: slotCentre(index, points.length, plot.width), y: plot.y(point.value) },
  );
  return (
    <g>
      <path
        d={linePath(positions)}
        fill="none"
        stroke={colour}
        strokeWidth={2}
        strokeLinejoin="round"
      />
      {positions.map((position, index) => {
        const isIsolated = positions[index - 1] == null && positions[index + 1] == null;
        if (!position || !(isIsolated || plot.active === index)) return null;
        return <circle key={index} cx={position.x} cy={position.y} r={3.5} fill={colour} />;
      })}
    </g>
  );
}
