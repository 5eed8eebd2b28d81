import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { Skeleton, SkeletonRows } from "@/components/ui/skeleton";
import { useNow } from "@/hooks/use-now";
import type { RunSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { pluralize } from "@/lib/format";
import { runsQuery } from "@/lib/queries/runs";

import { toRunListQuery, type RunsSearch } from "./run-filters";
import { RunsTable } from "./runs-table";

// Loaded separately, so that the rows appear first.
const RunsFilters = lazy(async () => ({
  default: (await import("./filter-bar")).RunsFilters,
}));
const NoRuns = lazy(async () => ({ default: (await import("./no-runs")).NoRuns }));
const SelectionBar = lazy(async () => ({
  default: (await import("./selection-bar")).SelectionBar,
}));

const HOUR = 3_600_000;
const NONE: RunSummary[] = [];

interface Props {
  search: RunsSearch;
  onChange: (change: Partial<RunsSearch>) => void;
  onClear: () => void;
}

/** The list of runs with filters and bulk actions. */
export function RunsView({ search, onChange, onClear }: Props) {
  // Rounded to the hour: otherwise relative periods would change the query key all the time.
  const now = useNow(HOUR);
  const query = useInfiniteQuery({
    ...runsQuery(toRunListQuery(search, now)),
    placeholderData: keepPreviousData,
  });
  const [selection, setSelection] = useState<Record<string, true>>({});
  const pages = query.data?.pages;
  const runs = useMemo(() => uniqueRuns(pages), [pages]);
  const selected = runs.filter((run) => selection[run.id]);

  return (
    <>
      <Suspense fallback={<Skeleton className="h-17 max-sm:h-46" />}>
        <RunsFilters search={search} onChange={onChange} onClear={onClear} />
      </Suspense>
      {query.isPending && <SkeletonRows rows={10} className="rounded-lg border bg-surface" />}
      {query.isError && !query.data && (
        <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && runs.length === 0 && (
        <Suspense>
          <NoRuns search={search} onClear={onClear} />
        </Suspense>
      )}
      {runs.length > 0 && (
        <div
          className={cn(
            "grid grid-cols-[minmax(0,1fr)] gap-3",
            query.isPlaceholderData && "opacity-60",
          )}
        >
          <RunsTable runs={runs} selection={selection} onSelect={setSelection} />
          {query.isFetchNextPageError ? (
            <ErrorPanel error={query.error} onRetry={() => void query.fetchNextPage()} />
          ) : (
            query.hasNextPage && (
              <LoadMore
                isLoading={query.isFetchingNextPage}
                onLoad={() => void query.fetchNextPage()}
              >
                Load more
              </LoadMore>
            )
          )}
          <p role="status" className="text-xs text-ink-faint">
            {pluralize(runs.length, "run")}
            {query.hasNextPage ? " so far" : ""}
          </p>
        </div>
      )}
      {selected.length > 0 && (
        <Suspense>
          <SelectionBar selected={selected} onClear={() => setSelection({})} />
        </Suspense>
      )}
    </>
  );
}

/** Removes duplicates: a refetch may move a run from one page to the next. */
function uniqueRuns(pages: { runs: RunSummary[] }[] | undefined): RunSummary[] {
  if (!pages) return NONE;
  return [...new Map(pages.flatMap((page) => page.runs).map((run) => [run.id, run])).values()];
}
