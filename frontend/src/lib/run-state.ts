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

/** True for the final states. */
export function hasEnded(state: RunState): boolean {
  return ENDED.has(state);
}

/** True when a run in this state can be resumed from its last finished task. */
export function isResumable(state: RunState): boolean {
  return hasEnded(state) && state !== "completed";
}
