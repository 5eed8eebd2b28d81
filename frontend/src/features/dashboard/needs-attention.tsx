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
  question: { Icon: MessageCircleQuestion, word: "Question", className: "text-warn" },
  budget: { Icon: Wallet, word: "Budget", className: "text-warn" },
  failed: { Icon: CircleX, word: "Failed", className: "text-err" },
  crashed: { Icon: ShieldAlert, word: "Crashed", className: "text-err" },
};

/** Questions, used-up budgets and fresh failures. */
export function NeedsAttention() {
  const since = new Date(useNow(HOUR) - 24 * HOUR).toISOString();
  const approvals = useQuery(openApprovalsQuery());
  const waiting = useInfiniteQuery(runsQuery({ status: ["waiting"] }));
  const failed = useInfiniteQuery(runsQuery({ status: ["failed", "crashed"], since }));
  const all = [approvals, waiting, failed];
  const broken = all.find((query) => query.isError && !query.data);

  const found =
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
          {found && found.length > 0 && (
            <Badge tone="warn" className="ml-1">
              {found.length}
              {more}
            </Badge>
          )}
        </>
      }
      actions={found && found.length > MAX_ROWS && <ShowAllLink />}
    >
      {broken ? (
        <ErrorPanel
          error={broken.error}
          onRetry={() => all.forEach((query) => void query.refetch())}
          className="m-4"
        />
      ) : (
        <EntryList found={found} />
      )}
    </Card>
  );
}

function EntryList({ found }: { found: AttentionEntry[] | null }) {
  if (!found) return <RowListSkeleton />;
  if (found.length === 0) {
    return (
      <EmptyRowList icon={<CircleCheck aria-hidden className="size-6 text-ok" />}>
        Nothing needs you. Questions, used-up budgets and failures of the last 24 hours appear here.
      </EmptyRowList>
    );
  }
  return (
    <RowList>
      {found.slice(0, MAX_ROWS).map((concern) => (
        <EntryRow key={concern.key} concern={concern} />
      ))}
    </RowList>
  );
}

function EntryRow({ concern }: { concern: AttentionEntry }) {
  const { Icon, word, className } = KINDS[concern.kind];
  return (
    <RunRow
      runId={concern.runId}
      icon={<Icon aria-hidden className={`size-4 shrink-0 ${className}`} />}
      title={concern.title}
      detail={concern.detail}
      aside={
        <>
          <span className={`block font-medium ${className}`}>{word}</span>
          <TimeAgo at={concern.at} />
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
