import type { RunState } from "@/lib/api/types";

import { barHeight } from "./scale";

const BAR = 5;
const GAP = 2;
const TALLEST = 18;
const LEAST = 4;

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
const BAD: ReadonlySet<RunState> = new Set(["failed", "crashed"]);

interface Props {
  /** How long each run took, in any one unit; the oldest first. An unknown one is drawn least high. */
  values: readonly (number | null)[];
  /** The state of each run. */
  states: readonly RunState[];
  /** The sentence that says what the picture shows. */
  label: string;
}

/** A few runs as bars: the height is the duration, the colour the state; failures stand on a mark. */
export function Sparkline({ values, states, label }: Props) {
  const longest = Math.max(...values.map((value) => value ?? 0), 0);
  const width = Math.max(states.length * (BAR + GAP) - GAP, BAR);
  return (
    <svg role="img" aria-label={label} width={width} height={TALLEST + 4} className="shrink-0">
      {states.map((state, index) => {
        const tall = Math.max(LEAST, barHeight(values[index] ?? 0, longest, TALLEST));
        const x = index * (BAR + GAP);
        return (
          <g key={index} fill={COLOURS[state]}>
            <rect x={x} y={TALLEST - tall} width={BAR} height={tall} rx={1.5} />
            {BAD.has(state) && <rect x={x} y={TALLEST + 2} width={BAR} height={2} rx={1} />}
          </g>
        );
      })}
    </svg>
  );
}
