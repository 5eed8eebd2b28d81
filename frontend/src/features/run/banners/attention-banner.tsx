import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useStore } from "zustand";

import { useNow } from "@/hooks/use-now";
import type { Approval } from "@/lib/api/types";
import { runApprovalsQuery } from "@/lib/queries/approvals";
import { hasEnded } from "@/lib/run-state";

import { ApprovalBanner } from "../approvals/approval-banner";
import { ResolvedApprovalBanner } from "../approvals/resolved-approval-banner";
import { BudgetBanner } from "../budget/budget-banner";
import type { RunProps } from "../run-props";

import { BannerPlaceholder } from "./banner-placeholder";
import { FailedBanner } from "./failed-banner";

const RECENT_MS = 90_000;

/** The most important banner of the run, if any: approval, budget, failure, or a recent approval. */
export function AttentionBanner({ run, store }: RunProps) {
  const status = useStore(store.state, (state) => state.status);
  const liveFailure = useStore(store.state, (state) => state.failure);
  const [dismissed, setDismissed] = useState<string | null>(null);
  // What the code of a project asks is not known before.
  const canAsk =
    run.projectId !== null ||
    run.definition.tasks.some((task) => task.humanInput || (task.tools?.length ?? 0) > 0) ||
    run.definition.agents.some((agent) => (agent.tools?.length ?? 0) > 0);
  const approvals = useQuery({ ...runApprovalsQuery(run.id), enabled: canAsk });
  const now = useNow(15_000);
  const newest = approvals.data?.[0];

  if (status === "waiting" && approvals.isLoading) return <BannerPlaceholder />;

  // The call of a tool is asked for while the run goes on, and so are the questions of tools.
  const open = approvals.data?.find(
    ({ status: state, kind }) => state === "open" && (status === "waiting" || isOfTool(kind)),
  );
  if (open && !hasEnded(status)) return <ApprovalBanner key={open.id} approval={open} />;
  if (status === "waiting" && run.status === "waiting" && run.waitReason === "budget") {
    return <BudgetBanner run={run} />;
  }
  if (status === "failed" || status === "crashed") {
    const failure = liveFailure ?? run.error;
    return failure && <FailedBanner run={run} store={store} failure={failure} />;
  }
  if (newest && isRecentlyResolved(newest, now) && !hasEnded(status) && newest.id !== dismissed) {
    return <ResolvedApprovalBanner approval={newest} onDismiss={() => setDismissed(newest.id)} />;
  }
  return null;
}

function isOfTool(kind: Approval["kind"]): boolean {
  return kind === "tool_call" || kind === "tool_question";
}

function isRecentlyResolved(approval: Approval, now: number): boolean {
  const isResolved = ["approved", "revised", "answered"].includes(approval.status);
  return isResolved && now - Date.parse(approval.resolvedAt ?? "") < RECENT_MS;
}
