import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Footprints } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { usePageTitle } from "@/hooks/use-page-title";
import { ApiProblem } from "@/lib/api/problem";
import { runQuery } from "@/lib/queries/runs";
import { hasEnded } from "@/lib/run-state";

import { RunLayout, usePreloadTab } from "./run-layout";

const route = getRouteApi("/shell/runs/$runId");
const HIDDEN_REFETCH_MS = 20_000;

/** The page of one run. */
export function RunPage() {
  const { runId } = route.useParams();
  const { data, error, refetch } = useQuery({
    ...runQuery(runId),
    // A hidden page has no event stream, but its title and icon still show the status.
    refetchInterval: ({ state }) =>
      document.hidden && state.data && !hasEnded(state.data.status) ? HIDDEN_REFETCH_MS : false,
    refetchIntervalInBackground: true,
  });
  usePreloadTab();
  // The key resets all component state when the run changes.
  if (data) return <RunLayout key={runId} run={data} />;
  if (error instanceof ApiProblem && error.status === 404) return <RunNotFound runId={runId} />;
  if (error) {
    return (
      <Page title="Run">
        <ErrorPanel error={error} onRetry={() => void refetch()} />
      </Page>
    );
  }
  return <RunSkeleton />;
}

function RunNotFound({ runId }: { runId: string }) {
  return (
    <Page title="Run not found">
      <EmptyState
        icon={Footprints}
        title="This run does not exist"
        actions={
          <Button asChild variant="primary">
            <Link to="/runs">All runs</Link>
          </Button>
        }
      >
        There is no run <code className="font-mono break-all">{runId}</code>. It may have been
        deleted.
      </EmptyState>
    </Page>
  );
}

function RunSkeleton() {
  usePageTitle("Run");
  return (
    <div role="status" className="flex h-full flex-col">
      <span className="sr-only">Loading run…</span>
      <div className="grid gap-2 border-b bg-surface px-4 py-2.5">
        <Skeleton className="h-8 w-80 max-w-full" />
        <Skeleton className="h-5 w-[32rem] max-w-full" />
      </div>
      <div className="h-10 border-b bg-surface" />
      <div className="grid flex-1 content-start gap-2 bg-surface p-4">
        {Array.from({ length: 8 }, (_, row) => (
          <Skeleton key={row} className="h-6" />
        ))}
      </div>
    </div>
  );
}
