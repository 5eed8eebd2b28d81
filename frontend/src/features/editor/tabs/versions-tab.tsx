import { useInfiniteQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Workflow } from "@/lib/api/types";
import { versionsQuery } from "@/lib/queries/versions";

import { useVersionSelection } from "./use-version-selection";
import { VersionDetail } from "./version-detail";
import { VersionRow } from "./version-row";

/** The version history of a workflow. */
export function VersionsTab({ workflow }: { workflow: Workflow }) {
  const selection = useVersionSelection(workflow);
  const list = useInfiniteQuery(versionsQuery(workflow.id));
  const versions = list.data?.pages.flatMap((page) => page.versions) ?? [];
  if (list.isPending) return <SkeletonRows />;
  if (versions.length === 0) {
    return (
      <ErrorPanel
        error={list.error ?? new Error("This workflow has no versions.")}
        onRetry={() => list.refetch()}
      />
    );
  }
  return (
    <div className="grid min-h-0 items-start gap-4 lg:grid-cols-[18rem_minmax(0,1fr)]">
      <nav
        aria-label="Versions"
        className="max-h-72 overflow-y-auto rounded-lg border bg-surface lg:sticky lg:top-4 lg:max-h-[calc(100dvh-14rem)]"
      >
        <ol reversed className="divide-y divide-line">
          {versions.map((version) => (
            <VersionRow
              key={version.number}
              version={version}
              isNewest={version.number === workflow.version}
              isSelected={version.number === selection.to}
              onShow={() => selection.show({ to: version.number })}
            />
          ))}
        </ol>
        {list.hasNextPage && (
          <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
            Older versions
          </LoadMore>
        )}
      </nav>
      <VersionDetail
        key={selection.to}
        workflow={workflow}
        selection={selection}
        versions={versions}
      />
    </div>
  );
}
