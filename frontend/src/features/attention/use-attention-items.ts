import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import type { Approval, RunSummary } from "@/lib/api/types";
import { openApprovalsQuery } from "@/lib/queries/approvals";
import { runsQuery } from "@/lib/queries/runs";

export interface AttentionItem {
  id: string;
  kind: "approval" | "question" | "budget";
  runId: string;
  workflowName: string;
  /** The task that requests the approval; null if no task asks. */
  task: string | null;
  since: string;
}

/** Open approval requests and exceeded budgets, the longest waiting first. */
export function useAttentionItems(): { items: AttentionItem[]; error: Error | null } {
  const approvals = useQuery(openApprovalsQuery());
  const waiting = useInfiniteQuery(runsQuery({ status: ["waiting"], limit: 200 }));
  const runs = waiting.data?.pages.flatMap((page) => page.runs) ?? [];
  return {
    items: attentionItems(approvals.data ?? [], runs),
    error: approvals.error ?? waiting.error,
  };
}

function attentionItems(approvals: Approval[], waiting: RunSummary[]): AttentionItem[] {
  const names = new Map(waiting.map((run) => [run.id, run.workflowName]));
  const requests = approvals.map((one): AttentionItem => ({
    id: one.id,
    kind: one.kind === "question" ? "question" : "approval",
    runId: one.runId,
    workflowName: names.get(one.runId) ?? "A run",
    task: one.taskKey,
    since: one.createdAt,
  }));
  const exceeded = waiting
    .filter((run) => run.waitReason === "budget")
    .map((run): AttentionItem => ({
      id: run.id,
      kind: "budget",
      runId: run.id,
      workflowName: run.workflowName,
      task: null,
      since: run.startedAt ?? run.createdAt,
    }));
  return [...requests, ...exceeded].toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since));
}
