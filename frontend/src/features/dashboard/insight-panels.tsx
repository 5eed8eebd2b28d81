import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";

import { mostExpensiveWorkflows, slowestWorkflows } from "./insights";
import { insightsQuery, type Period } from "./insights-query";
import { Ranking } from "./ranking";
import { Totals } from "./totals";

// Loaded separately, so that the rest of the page does not wait for the charts.
const Charts = lazy(async () => ({ default: (await import("./insight-charts")).InsightCharts }));

/** Totals, charts and rankings of a period. */
export function InsightPanels({ period }: { period: Period }) {
  const query = useQuery(insightsQuery(period));
  if (query.isPending) return <InsightsSkeleton />;
  if (!query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />;
  const insights = query.data;
  return (
    <div className={cn("grid gap-4 lg:grid-cols-2", query.isPlaceholderData && "opacity-60")}>
      <Totals insights={insights} />
      <Suspense fallback={<ChartsSkeleton />}>
        <Charts insights={insights} />
      </Suspense>
      <Ranking
        title="Slowest workflows"
        about="Median duration of completed runs"
        none="No completed runs in this period."
        ranks={slowestWorkflows(insights.workflows)}
        period={period}
      />
      <Ranking
        title="Most expensive workflows"
        about="Total cost"
        none="No known costs in this period."
        ranks={mostExpensiveWorkflows(insights.workflows)}
        period={period}
      />
    </div>
  );
}

/** Has the heights of the loaded panels, to avoid layout shift. */
function InsightsSkeleton() {
  return (
    <div role="status" className="grid gap-4 lg:grid-cols-2">
      <span className="sr-only">Loading…</span>
      <Skeleton className="h-44 sm:h-22 lg:col-span-2" />
      <ChartsSkeleton />
      <Skeleton className="h-66" />
      <Skeleton className="h-66" />
    </div>
  );
}

function ChartsSkeleton() {
  return (
    <>
      <Skeleton className="h-77" />
      <Skeleton className="h-77" />
    </>
  );
}
