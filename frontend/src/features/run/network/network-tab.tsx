import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Download, Network } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { RunConnectionPage, Run } from "@/lib/api/types";
import { downloadFile } from "@/lib/download-file";
import { pluralize } from "@/lib/format";
import { hasEnded } from "@/lib/run-state";

import { formatFileSize } from "@/lib/format-file-size";

import { connectionsToCsv } from "./connection-labels";
import { ConnectionTable } from "./connection-table";
import { connectionsQuery, readAllConnections } from "./connections-query";
import { HostList } from "./host-list";

/** The connections of a run to other servers: its models, its tools, the code of a project. */
export function NetworkTab({ run }: { run: Run }) {
  const query = useInfiniteQuery(connectionsQuery(run));
  const [first] = query.data?.pages ?? [];
  if (query.isError && !first) {
    return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} className="m-4" />;
  }
  if (!first) return <SkeletonRows rows={6} />;
  if (first.total.requests === 0) {
    return (
      <EmptyState icon={Network} title="No connections">
        {hasEnded(run.status)
          ? "The run has contacted no other server."
          : "Connections to models and by tools appear here."}
      </EmptyState>
    );
  }
  return (
    <div className="grid content-start gap-4 p-4 sm:p-6">
      <Card title="Hosts" actions={<ExportButton run={run} />}>
        <Summary total={first.total} />
        <HostList hosts={first.hosts} />
      </Card>
      <Card title="Requests">
        <ConnectionTable
          connections={query.data?.pages.flatMap((page) => page.connections) ?? []}
        />
        {query.hasNextPage && (
          <LoadMore onLoad={() => void query.fetchNextPage()} isLoading={query.isFetchingNextPage}>
            Show more requests
          </LoadMore>
        )}
      </Card>
    </div>
  );
}

function Summary({ total }: { total: RunConnectionPage["total"] }) {
  return (
    <p className="border-b px-4 py-3 text-ink-soft">
      {pluralize(total.requests, "request")}, {formatFileSize(total.sentBytes)} sent,{" "}
      {formatFileSize(total.receivedBytes)} received.{" "}
      {total.refused > 0 && (
        <strong className="font-semibold text-err">
          {pluralize(total.refused, "request was", "requests were")} refused.
        </strong>
      )}
    </p>
  );
}

function ExportButton({ run }: { run: Run }) {
  const exportCsv = useMutation({
    mutationFn: async () => {
      const csv = connectionsToCsv(await readAllConnections(run.id));
      downloadFile(`${run.id}-network.csv`, new Blob([csv], { type: "text/csv" }));
    },
  });
  return (
    <div className="flex flex-wrap items-center gap-2">
      {exportCsv.isError && <span className="text-err">The export failed. Try again.</span>}
      <Button size="sm" busy={exportCsv.isPending} onClick={() => exportCsv.mutate()}>
        <Download aria-hidden />
        Export as CSV
      </Button>
    </div>
  );
}
