import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleX, MessageCircleQuestion, ShieldAlert, Wallet } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { useNow } from "@/hooks/use-now";
import { openApprovalsQuery } from "@/lib/queries/approvals";
import { runsQuery } from "@/lib/queries/runs";

import { attentionEntries, type AttentionEntry } from "./attention-entries";
import { EmptyRowList, RowList, RowListSkeleton, MAX_ROWS, RunRow } from "./row-list";

const HOUR = 3_600_000;

const KINDS = {
  approval: { Icon: MessageCircleQuestion, label: "Approval", className: "text-warn" },
  budget: { Icon: Wallet, label: "Budget exceeded", className: "text-warn" },
  failed: { Icon: CircleX, label: "Failed", className: "text-err" },
  crashed: { Icon: ShieldAlert, label: "Crashed", className: "text-err" },
};

/** Open approval requests, exceeded budgets and failures of the last 24 hours. */
export function NeedsAttention() {
  const since = new Date(useNow(HOUR) - 24 * HOUR).toISOString();
  const approvals = useQuery(openApprovalsQuery());
  const waiting = useInfiniteQuery(runsQuery({ status: ["waiting"] }));
  const failed = useInfiniteQuery(runsQuery({ status: ["failed", "crashed"], since }));
  const queries = [approvals, waiting, failed];
  const failedQuery = queries.find((query) => query.isError && !query.data);

  const entries =
    approvals.data && waiting.data && failed.data
      ? attentionEntries(
          approvals.data,
          waiting.data.pages.flatMap((page) => page.runs),
          failed.data.pages.flatMap((page) => page.runs),
        )
      : null;
  const more = failed.hasNextPage ? "+" : "";
  return (
    <Card
      title={
        <>
          Needs attention{" "}
          {entries && entries.length > 0 && (
            <Badge tone="warn" className="ml-1">
              {entries.length}
              {more}
            </Badge>
          )}
        </>
      }
      actions={entries && entries.length > MAX_ROWS && <ShowAllLink />}
    >
      {failedQuery ? (
        <ErrorPanel
          error={failedQuery.error}
          onRetry={() => queries.forEach((query) => void query.refetch())}
          className="m-4"
        />
      ) : (
        <EntryList entries={entries} />
      )}
    </Card>
  );
}

function EntryList({ entries }: { entries: AttentionEntry[] | null }) {
  if (!entries) return <RowListSkeleton />;
  if (entries.length === 0) {
    return (
      <EmptyRowList icon={<CircleCheck aria-hidden className="size-6 text-ok" />}>
        Nothing needs attention. Approval requests, exceeded budgets and failures of the last 24
        hours appear here.
      </EmptyRowList>
    );
  }
  return (
    <RowList>
      {entries.slice(0, MAX_ROWS).map((entry) => (
        <EntryRow key={entry.key} entry={entry} />
      ))}
    </RowList>
  );
}

function EntryRow({ entry }: { entry: AttentionEntry }) {
  const { Icon, label, className } = KINDS[entry.kind];
  return (
    <RunRow
      runId={entry.runId}
      icon={<Icon aria-hidden className={`size-4 shrink-0 ${className}`} />}
      title={entry.title}
      detail={entry.detail}
      aside={
        <>
          <span className={`block font-medium ${className}`}>{label}</span>
          <TimeAgo at={entry.at} />
        </>
      }
    />
  );
}

function ShowAllLink() {
  return (
    <Link
      to="/runs"
      search={{ status: ["waiting", "failed", "crashed"] }}
      className="text-accent underline-offset-4 hover:underline"
    >
      Show all
    </Link>
  );
}
