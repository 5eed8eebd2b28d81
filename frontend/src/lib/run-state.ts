import type { RunState } from "./api/types";

export const RUN_STATES: readonly RunState[] = [
  "queued",
  "running",
  "waiting",
  "stopping",
  "completed",
  "failed",
  "stopped",
  "crashed",
];

const ENDED: ReadonlySet<RunState> = new Set(["completed", "failed", "stopped", "crashed"]);

/** True when nothing more will happen to such a run by itself. */
export function hasEnded(state: RunState): boolean {
  return ENDED.has(state);
}

/** True when a run that is over can go on from its last finished task. */
export function isResumable(state: RunState): boolean {
  return hasEnded(state) && state !== "completed";
}
