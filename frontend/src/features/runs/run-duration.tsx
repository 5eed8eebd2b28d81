import { useNow } from "@/hooks/use-now";
import type { RunSummary } from "@/lib/api/types";
import { formatDuration } from "@/lib/format";

import { elapsed } from "./run-words";

/** How long a run took, or has taken so far. */
export function RunDuration({ run }: { run: RunSummary }) {
  if (!run.startedAt || run.finishedAt) return <>{formatDuration(elapsed(run, 0))}</>;
  return <Ticking run={run} />;
}

function Ticking({ run }: { run: RunSummary }) {
  const now = useNow(1000);
  return <>{formatDuration(elapsed(run, now))}</>;
}
