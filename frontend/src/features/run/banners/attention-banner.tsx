import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { useNow } from "@/hooks/use-now";
import type { Approval } from "@/lib/api/types";
import { runApprovalsQuery } from "@/lib/queries/approvals";
import { hasEnded } from "@/lib/run-state";

import { BannerRoom } from "./banner-placeholder";
import { useRunStore } from "../store/use-span";

import { AnsweredBanner, ApprovalBanner } from "../approvals/approval-banner";
import { BudgetBanner } from "../budget/budget-banner";
import { FailedBanner } from "./failed-banner";
import type { TabProps } from "../tab-props";
import { useRunNews } from "./use-invalidate-on-events";

/** What a person must look at first, one thing at a time; nothing when the run needs nobody. */
export function AttentionBanner({ run, store }: TabProps) {
  useRunNews(store);
  const status = useRunStore(store, (now) => now.status);
  const told = useRunStore(store, (now) => now.failure);
  const [closed, setClosed] = useState<string | null>(null);
  const asks = run.definition.tasks.some((task) => task.humanInput);
  const approvals = useQuery({ ...runApprovalsQuery(run.id), enabled: asks });
  const now = useNow(15_000);
  const newest = approvals.data?.[0];

  if (status === "waiting" && approvals.isLoading) return <BannerRoom />;

  if (newest?.status === "open" && status === "waiting") {
    return <ApprovalBanner key={newest.id} approval={newest} />;
  }
  if (status === "waiting" && run.status === "waiting" && run.waitReason === "budget") {
    return <BudgetBanner run={run} />;
  }
  if (status === "failed" || status === "crashed") {
    const failure = told ?? run.error;
    return failure && <FailedBanner run={run} store={store} failure={failure} />;
  }
  if (newest && isNews(newest, now) && !hasEnded(status) && newest.id !== closed) {
    return <AnsweredBanner approval={newest} onClose={() => setClosed(newest.id)} />;
  }
  return null;
}

const NEWS_MS = 90_000;

/** True for an answer that was given a moment ago. */
function isNews(approval: Approval, now: number): boolean {
  const answered = approval.status === "approved" || approval.status === "revised";
  return answered && now - Date.parse(approval.resolvedAt ?? "") < NEWS_MS;
}
