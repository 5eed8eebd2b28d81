import type { RunSummary } from "@/lib/api/types";

/** Milliseconds from the start to the end, or to `now` while the run is active; null before the start. */
export function runDurationMs(
  run: Pick<RunSummary, "startedAt" | "finishedAt">,
  now: number,
): number | null {
  if (!run.startedAt) return null;
  const end = run.finishedAt ? Date.parse(run.finishedAt) : now;
  return Math.max(0, end - Date.parse(run.startedAt));
}
