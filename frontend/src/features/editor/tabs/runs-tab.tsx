import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Workflow } from "@/lib/api/types";
import { runsQuery } from "@/lib/queries/runs";

import { RUN_COLUMNS, WorkflowRunRow } from "./workflow-run-row";

/** The runs of a workflow, newest first. */
export function RunsTab({ workflow }: { workflow: Workflow }) {
  const list = useInfiniteQuery(runsQuery({ workflowId: workflow.id }));
  const runs = list.data?.pages.flatMap((page) => page.runs) ?? [];
  if (list.isPending) return <SkeletonRows />;
  if (list.isError && runs.length === 0) {
    return <ErrorPanel error={list.error} onRetry={() => list.refetch()} />;
  }
  if (runs.length === 0) return <NoRuns workflow={workflow} />;
  return (
    <div className="grid gap-3">
      <div className="sm:rounded-lg sm:border sm:bg-surface">
        <div
          aria-hidden
          className={`${RUN_COLUMNS} border-b px-4 py-2 text-xs font-medium text-ink-faint max-sm:hidden`}
        >
          <span>State</span>
          <span>Started</span>
          <span>Version</span>
          <span className="text-right">Active time</span>
          <span className="text-right">Tokens</span>
          <span className="text-right">Cost</span>
        </div>
        <ul
          aria-label={`Runs of ${workflow.name}`}
          className="grid max-sm:gap-2 sm:divide-y sm:divide-line"
        >
          {runs.map((run) => (
            <WorkflowRunRow key={run.id} run={run} />
          ))}
        </ul>
      </div>
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
          Older runs
        </LoadMore>
      )}
      <Link
        to="/runs"
        search={{ workflow: workflow.id }}
        className="justify-self-start text-accent underline-offset-4 hover:underline"
      >
        Search and compare in Runs
      </Link>
    </div>
  );
}

function NoRuns({ workflow }: { workflow: Workflow }) {
  return (
    <EmptyState
      icon={Play}
      title="No runs yet"
      actions={
        <Button asChild variant="primary">
          <Link to="/workflows/$workflowId/run" params={{ workflowId: workflow.id }}>
            <Play aria-hidden />
            Run workflow
          </Link>
        </Button>
      }
    >
      Runs of this workflow appear here with their state, active time and cost.
    </EmptyState>
  );
}
