import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { ErrorPanel } from "@/components/error-panel";
import { RunStatus } from "@/components/run-status";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { runQuery } from "@/lib/queries/runs";
import { useIsShared } from "@/lib/rights";

interface Props {
  name: "a" | "b";
  runId: string;
  onChange: () => void;
}

/** Header of one side of a comparison. */
export function ComparedRun({ name, runId, onChange }: Props) {
  const isShared = useIsShared();
  const run = useQuery(runQuery(runId));
  const letter = name.toUpperCase();
  return (
    <section
      aria-label={`Run ${letter}`}
      className="flex min-h-19 min-w-0 items-start gap-3 rounded-lg border bg-surface p-3"
    >
      <Badge tone="accent" className="rounded-sm px-1.5 text-sm">
        {letter}
      </Badge>
      <div className="grid min-w-0 flex-1 gap-1">
        {run.isPending && <Skeleton className="h-10" />}
        {run.isError && <ErrorPanel error={run.error} onRetry={() => void run.refetch()} />}
        {run.data && (
          <>
            <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <Link
                to="/runs/$runId"
                params={{ runId }}
                className="min-w-0 truncate font-medium hover:underline"
              >
                {run.data.workflowName}
              </Link>
              {run.data.workflowVersion !== null && (
                <span className="text-xs text-ink-faint">v{run.data.workflowVersion}</span>
              )}
              <RunStatus state={run.data.status} />
            </p>
            <p className="truncate text-xs text-ink-faint">
              <TimeAgo at={run.data.startedAt ?? run.data.createdAt} /> ·{" "}
              {isShared && `by ${run.data.createdByName} · `}
              <span className="font-mono">{runId}</span>
            </p>
          </>
        )}
      </div>
      <Button size="sm" variant="ghost" onClick={onChange}>
        Change<span className="sr-only"> run {letter}</span>
      </Button>
    </section>
  );
}
