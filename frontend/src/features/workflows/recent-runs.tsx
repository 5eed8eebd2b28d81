import { Link } from "@tanstack/react-router";

import { Sparkline } from "@/components/charts/sparkline";
import { runStateLabel, RunStatus } from "@/components/run-status";
import { TimeAgo } from "@/components/time-ago";
import type { WorkflowSummary } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

interface Props {
  workflow: WorkflowSummary;
}

/** The state and start time of the newest run. */
export function LastRun({ workflow: { lastRun } }: Props) {
  if (!lastRun) return <p className="text-ink-faint">Not run yet</p>;
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: lastRun.id }}
      className="relative grid justify-items-start gap-0.5 max-sm:flex max-sm:flex-wrap max-sm:items-center max-sm:gap-x-2"
    >
      <span className="sr-only">Last run: </span>
      <RunStatus state={lastRun.status} />
      <span className="text-xs text-ink-faint">
        <TimeAgo at={lastRun.createdAt} />
      </span>
    </Link>
  );
}

/** A chart of the newest runs; not shown for a single run. */
export function RecentRuns({ workflow: { recentRuns } }: Props) {
  if (recentRuns.length < 2) return null;
  return (
    <Sparkline
      values={recentRuns.map((run) => run.seconds)}
      states={recentRuns.map((run) => run.status)}
      label={describeRecentRuns(recentRuns)}
    />
  );
}

/** `Last 5 runs: 4 completed, 1 failed`. */
export function describeRecentRuns(runs: WorkflowSummary["recentRuns"]): string {
  const counts = new Map<string, number>();
  for (const { status } of runs) {
    const word = runStateLabel(status).toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const parts = [...counts].map(([word, count]) => `${count} ${word}`);
  return `Last ${pluralize(runs.length, "run")}: ${parts.join(", ")}`;
}
