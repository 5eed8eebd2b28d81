import { useNow } from "@/hooks/use-now";
import type { RunSummary } from "@/lib/api/types";
import { formatDuration } from "@/lib/format";

import { runDurationMs } from "./run-duration-ms";

/** Duration of a run, updated every second while it is active. */
export function RunDuration({ run }: { run: RunSummary }) {
  if (!run.startedAt || run.finishedAt) return <>{formatDuration(runDurationMs(run, 0))}</>;
  return <LiveDuration run={run} />;
}

function LiveDuration({ run }: { run: RunSummary }) {
  const now = useNow(1000);
  return <>{formatDuration(runDurationMs(run, now))}</>;
}
