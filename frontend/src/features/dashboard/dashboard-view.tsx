import { useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { Page } from "@/components/page";
import { PanelBoundary } from "@/components/panel-boundary";
import { SegmentedControl } from "@/components/ui/segmented-control";
import { Skeleton } from "@/components/ui/skeleton";
import { runsQuery } from "@/lib/queries/runs";

import { PERIODS } from "./insights";
import { InsightPanels } from "./insight-panels";
import type { Period } from "./insights-query";
import { LiveRuns } from "./live-runs";
import { NeedsAttention } from "./needs-attention";

// Seen once in a product's life: not part of every visit's download.
const FirstRun = lazy(async () => ({
  default: (await import("./getting-started")).GettingStarted,
}));

interface Props {
  period: Period;
  onPeriod: (period: Period) => void;
}

/** What needs a person, what is at work, and how it went lately; before the first run, how to get to it. */
export function DashboardView({ period, onPeriod }: Props) {
  const any = useInfiniteQuery(runsQuery({ limit: 1 }));
  const first = any.data?.pages[0]?.runs.length === 0;
  return (
    <Page
      title="Dashboard"
      actions={!first && <PeriodSwitch period={period} onPeriod={onPeriod} />}
    >
      {first ? (
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
              <LiveRuns />
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
