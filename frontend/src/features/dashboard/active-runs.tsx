import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CirclePlay, Moon } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { RunStatus } from "@/components/run-status";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { useNow } from "@/hooks/use-now";
import type { RunSummary } from "@/lib/api/types";
import { formatCount, formatDuration } from "@/lib/format";
import { runsQuery } from "@/lib/queries/runs";

import { EmptyRowList, RowList, RowListSkeleton, MAX_ROWS, RunRow } from "./row-list";

const ACTIVE_STATES = ["queued", "running", "waiting", "stopping"] as const;

/** Queued, running, waiting and stopping runs; those elsewhere are listed, but not counted. */
export function ActiveRuns() {
  const query = useInfiniteQuery(runsQuery({ status: [...ACTIVE_STATES] }));
  const runs = query.data?.pages.flatMap((page) => page.runs) ?? [];
  const here = runs.filter((run) => !run.external);
  return (
    <Card
      title={
        <>
          Active runs{" "}
          {here.length > 0 && (
            <Badge tone="live" className="ml-1">
              {here.length}
              {query.hasNextPage ? "+" : ""}
            </Badge>
          )}
        </>
      }
      actions={
        runs.length > MAX_ROWS && (
          <Link
            to="/runs"
            search={{ status: [...ACTIVE_STATES] }}
            className="text-accent underline-offset-4 hover:underline"
          >
            Show all
          </Link>
        )
      }
    >
      {query.isPending && <RowListSkeleton />}
      {query.isError && !query.data && (
        <ErrorPanel error={query.error} onRetry={() => void query.refetch()} className="m-4" />
      )}
      {query.data && runs.length === 0 && (
        <EmptyRowList icon={<Moon aria-hidden className="size-6 text-ink-faint" />}>
          No active runs.
        </EmptyRowList>
      )}
      {runs.length > 0 && (
        <RowList>
          {runs.slice(0, MAX_ROWS).map((run) => (
            <ActiveRun key={run.id} run={run} />
          ))}
        </RowList>
      )}
    </Card>
  );
}

function ActiveRun({ run }: { run: RunSummary }) {
  return (
    <RunRow
      runId={run.id}
      icon={<CirclePlay aria-hidden className="size-4 shrink-0 text-live" />}
      title={run.workflowName}
      detail={
        <>
          {run.external && "Runs elsewhere · "}
          <ElapsedTime run={run} /> · {formatCount(run.usage.totalTokens)} tokens
        </>
      }
      aside={<RunStatus state={run.status} />}
    />
  );
}

function ElapsedTime({ run }: { run: RunSummary }) {
  const now = useNow(1000);
  if (!run.startedAt) return <>Not started</>;
  return <>{formatDuration(Math.max(0, now - Date.parse(run.startedAt)))}</>;
}
