import type { Span } from "../store/span";

/**
 * The deepest failed span of the task that the failure names, else of the whole run; of several at the same
 * depth, the newest.
 */
export function findFailedSpan(spans: Iterable<Span>, taskKey?: string | null): Span | undefined {
  const failed = [...spans].filter((span) => span.state === "failed");
  const ofTask = taskKey ? failed.filter((span) => span.taskKey === taskKey) : [];
  const candidates = ofTask.length > 0 ? ofTask : failed;
  return candidates.toSorted((a, b) => b.depth - a.depth || b.order - a.order)[0];
}
