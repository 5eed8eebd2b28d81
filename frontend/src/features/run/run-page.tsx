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

import { RunFrame, useEarlyTab } from "./run-layout";

const route = getRouteApi("/shell/runs/$runId");
const HIDDEN_MS = 20_000;

/** One run: what it does now, what it did, and what can be done with it. */
export function RunPage() {
  const { runId } = route.useParams();
  const { data, error, refetch } = useQuery({
    ...runQuery(runId),
    // A tab in the back has no stream; its title and icon still tell how the run goes.
    refetchInterval: ({ state }) =>
      document.hidden && state.data && !hasEnded(state.data.status) ? HIDDEN_MS : false,
    refetchIntervalInBackground: true,
  });
  useEarlyTab();
  // The page is built anew for each run: nothing of one may be left in the next.
  if (data) return <RunFrame key={runId} run={data} />;
  if (error instanceof ApiProblem && error.status === 404) return <NotHere runId={runId} />;
  if (error) {
    return (
      <Page title="Run">
        <ErrorPanel error={error} onRetry={() => void refetch()} />
      </Page>
    );
  }
  return <Loading />;
}

function NotHere({ runId }: { runId: string }) {
  return (
    <Page title="Run not found">
      <EmptyState
        icon={Footprints}
        title="This run is not here"
        actions={
          <Button asChild variant="primary">
            <Link to="/runs">All runs</Link>
          </Button>
        }
      >
        There is no run <code className="font-mono break-all">{runId}</code>. It may have been
        deleted with its workspace&apos;s old runs.
      </EmptyState>
    </Page>
  );
}

/** The page's shape while the run is asked for. */
function Loading() {
  usePageTitle("Run");
  return (
    <div role="status" className="flex h-full flex-col">
      <span className="sr-only">Loading the run…</span>
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
