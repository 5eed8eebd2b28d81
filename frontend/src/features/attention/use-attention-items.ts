import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import type { Approval, RunSummary } from "@/lib/api/types";
import { openApprovalsQuery } from "@/lib/queries/approvals";
import { runsQuery } from "@/lib/queries/runs";
import { useCan } from "@/lib/rights";

export interface AttentionItem {
  id: string;
  kind: "approval" | "question" | "call" | "budget";
  runId: string;
  workflowName: string;
  /** The task that requests the approval; null if no task asks. */
  task: string | null;
  since: string;
}

/** Approval requests for the caller and exceeded budgets that the caller may resolve, the longest waiting first. */
export function useAttentionItems(): { items: AttentionItem[]; error: Error | null } {
  const approvals = useQuery(openApprovalsQuery());
  const waiting = useInfiniteQuery(runsQuery({ status: ["waiting"], limit: 200 }));
  const runs = waiting.data?.pages.flatMap((page) => page.runs) ?? [];
  const canAnswer = useCan("approvals:write");
  const canResume = useCan("runs:write");
  return {
    items: attentionItems(approvals.data ?? [], runs).filter(({ kind }) =>
      kind === "budget" ? canResume : canAnswer,
    ),
    error: approvals.error ?? waiting.error,
  };
}

/** Open approval requests that are addressed to others. */
export function useItemsOfOthers(): AttentionItem[] {
  const { data: approvals = [] } = useQuery(openApprovalsQuery(false));
  const waiting = useInfiniteQuery(runsQuery({ status: ["waiting"], limit: 200 }));
  return requestItems(approvals, waiting.data?.pages.flatMap((page) => page.runs) ?? []);
}

const KINDS = {
  question: "question",
  tool_question: "question",
  tool_call: "call",
  review: "approval",
} as const;

function requestItems(approvals: Approval[], waiting: RunSummary[]): AttentionItem[] {
  const names = new Map(waiting.map((run) => [run.id, run.workflowName]));
  return approvals.map((one) => ({
    id: one.id,
    kind: KINDS[one.kind],
    runId: one.runId,
    workflowName: names.get(one.runId) ?? "A run",
    task: one.taskKey,
    since: one.createdAt,
  }));
}

function attentionItems(approvals: Approval[], waiting: RunSummary[]): AttentionItem[] {
  const requests = requestItems(approvals, waiting);
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
