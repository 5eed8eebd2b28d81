import { useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { Page } from "@/components/page";
import { PanelBoundary } from "@/components/panel-boundary";
import { SegmentedControl } from "@/components/ui/segmented-control";
import { Skeleton } from "@/components/ui/skeleton";
import { runsQuery } from "@/lib/queries/runs";

import { PERIODS } from "./insights";
import { ActiveRuns } from "./active-runs";
import { InsightPanels } from "./insight-panels";
import type { Period } from "./insights-query";
import { NeedsAttention } from "./needs-attention";

// Loaded separately: only needed before the first run.
const FirstRun = lazy(async () => ({
  default: (await import("./getting-started")).GettingStarted,
}));

interface Props {
  period: Period;
  onPeriod: (period: Period) => void;
}

/** Attention list, active runs and insights; before the first run, a getting started guide. */
export function DashboardView({ period, onPeriod }: Props) {
  const newest = useInfiniteQuery(runsQuery({ limit: 1 }));
  const hasNoRuns = newest.data?.pages[0]?.runs.length === 0;
  return (
    <Page
      title="Dashboard"
      actions={!hasNoRuns && <PeriodSwitch period={period} onPeriod={onPeriod} />}
    >
      {hasNoRuns ? (
        <Suspense fallback={<Skeleton className="mx-auto h-80 w-full max-w-2xl" />}>
          <FirstRun />
        </Suspense>
      ) : (
        <>
          <div className="grid gap-4 lg:grid-cols-2">
            <PanelBoundary>
              <NeedsAttention />
            </PanelBoundary>
            <PanelBoundary>
              <ActiveRuns />
            </PanelBoundary>
          </div>
          <PanelBoundary>
            <InsightPanels period={period} />
          </PanelBoundary>
        </>
      )}
    </Page>
  );
}

function PeriodSwitch({ period, onPeriod }: Props) {
  const options = (Object.keys(PERIODS) as Period[]).map((value) => ({
    value,
    label: PERIODS[value].label,
  }));
  return <SegmentedControl label="Period" options={options} value={period} onChange={onPeriod} />;
}
