import { useNow } from "@/hooks/use-now";
import type { RunSummary } from "@/lib/api/types";
import { formatDuration } from "@/lib/format";

import { runDurationMs } from "./run-summary";

/** How long a run took, or has taken so far. */
export function RunDuration({ run }: { run: RunSummary }) {
  if (!run.startedAt || run.finishedAt) return <>{formatDuration(runDurationMs(run, 0))}</>;
  return <Ticking run={run} />;
}

function Ticking({ run }: { run: RunSummary }) {
  const now = useNow(1000);
  return <>{formatDuration(runDurationMs(run, now))}</>;
}
