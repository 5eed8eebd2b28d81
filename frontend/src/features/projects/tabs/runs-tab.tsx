import { useInfiniteQuery } from "@tanstack/react-query";
import { Play } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { RunRows } from "@/components/run-rows";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Project } from "@/lib/api/types";
import { runsQuery } from "@/lib/queries/runs";

/** The runs of a project, newest first. */
export function RunsTab({ project }: { project: Project }) {
  const list = useInfiniteQuery(runsQuery({ projectId: project.id }));
  const runs = list.data?.pages.flatMap((page) => page.runs) ?? [];
  if (list.isPending) return <SkeletonRows />;
  if (list.isError && runs.length === 0) {
    return <ErrorPanel error={list.error} onRetry={() => list.refetch()} />;
  }
  if (runs.length === 0) {
    return (
      <EmptyState icon={Play} title="No runs yet">
        {project.status === "ready"
          ? "Runs of this project appear here with their state, active time and cost."
          : "The project can be run when its build is ready."}
      </EmptyState>
    );
  }
  return (
    <div className="grid gap-3">
      <RunRows label={`Runs of ${project.name}`} runs={runs} />
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
          Older runs
        </LoadMore>
      )}
    </div>
  );
}
