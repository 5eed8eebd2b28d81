import { ChartFrame, type ChartPoint, type Plot } from "./chart-frame";
import { linePath, slotCentre, axisTicks } from "./scale";

export interface LinePoint extends ChartPoint {
  /** Unknown values leave a gap. */
  value: number | null;
}

interface Props {
  sentence: string;
  points: readonly LinePoint[];
  /** What is measured, e.g. `Cost`. */
  name: string;
  format: (value: number) => string;
  colour?: string;
}

/** One figure over time. */
export function LineChart({ sentence, points, name, format, colour = "var(--accent)" }: Props) {
  const most = Math.max(0, ...points.map((point) => point.value ?? 0));
  return (
    <ChartFrame
      sentence={sentence}
      points={points}
      axis={axisTicks(most)}
      formatAxis={format}
      columns={[name]}
      row={(index) => {
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
  const places = points.map((point, index) =>
    point.value === null
      ? null
      : { x: slotCentre(index, points.length, plot.width), y: plot.y(point.value) },
  );
  return (
    <g>
      <path
        d={linePath(places)}
        fill="none"
        stroke={colour}
        strokeWidth={2}
        strokeLinejoin="round"
      />
      {places.map((place, index) => {
        const alone = places[index - 1] == null && places[index + 1] == null;
        if (!place || !(alone || plot.active === index)) return null;
        return <circle key={index} cx={place.x} cy={place.y} r={3.5} fill={colour} />;
      })}
    </g>
  );
}
