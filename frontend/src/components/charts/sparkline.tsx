import type { RunState } from "@/lib/api/types";

import { barHeight } from "./scale";

const BAR_WIDTH = 5;
const GAP = 2;
const MAX_HEIGHT = 18;
const MIN_HEIGHT = 4;

const COLOURS: Record<RunState, string> = {
  queued: "var(--idle)",
  running: "var(--live)",
  waiting: "var(--warn)",
  stopping: "var(--warn)",
  completed: "var(--ok)",
  failed: "var(--err)",
  stopped: "var(--idle)",
  crashed: "var(--err)",
};
const FAILURES: ReadonlySet<RunState> = new Set(["failed", "crashed"]);

interface Props {
  /** Duration of each run, oldest first; an unknown duration gets the minimum height. */
  values: readonly (number | null)[];
  /** The state of each run. */
  states: readonly RunState[];
  /** Describes the chart for screen readers. */
  label: string;
}

/** Recent runs as bars: height is the duration, colour the state; failures are underlined. */
export function Sparkline({ values, states, label }: Props) {
  const longest = Math.max(...values.map((value) => value ?? 0), 0);
  const width = Math.max(states.length * (BAR_WIDTH + GAP) - GAP, BAR_WIDTH);
  return (
    <svg role="img" aria-label={label} width={width} height={MAX_HEIGHT + 4} className="shrink-0">
      {states.map((state, index) => {
        const tall = Math.max(MIN_HEIGHT, barHeight(values[index] ?? 0, longest, MAX_HEIGHT));
        const x = index * (BAR_WIDTH + GAP);
        return (
          <g key={index} fill={COLOURS[state]}>
            <rect x={x} y={MAX_HEIGHT - tall} width={BAR_WIDTH} height={tall} rx={1.5} />
            {FAILURES.has(state) && (
              <rect x={x} y={MAX_HEIGHT + 2} width={BAR_WIDTH} height={2} rx={1} />
            )}
          </g>
        );
      })}
    </svg>
  );
}
