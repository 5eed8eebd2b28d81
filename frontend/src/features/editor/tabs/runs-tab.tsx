import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { RunRows } from "@/components/run-rows";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Workflow } from "@/lib/api/types";
import { runsQuery } from "@/lib/queries/runs";

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
      <RunRows label={`Runs of ${workflow.name}`} runs={runs} />
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
