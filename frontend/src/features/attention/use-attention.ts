import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import type { Approval, RunSummary } from "@/lib/api/types";
import { openApprovalsQuery } from "@/lib/queries/approvals";
import { runsQuery } from "@/lib/queries/runs";

export interface Need {
  id: string;
  kind: "approval" | "budget";
  runId: string;
  workflowName: string;
  /** The task that asks, for an approval. */
  task: string | null;
  since: string;
}

/** Everything that waits for a person, the longest wait first. */
export function useAttention(): { needs: Need[]; error: Error | null } {
  const approvals = useQuery(openApprovalsQuery());
  const waiting = useInfiniteQuery(runsQuery({ status: ["waiting"], limit: 200 }));
  const runs = waiting.data?.pages.flatMap((page) => page.runs) ?? [];
  return {
    needs: needsOf(approvals.data ?? [], runs),
    error: approvals.error ?? waiting.error,
  };
}

function needsOf(approvals: Approval[], waiting: RunSummary[]): Need[] {
  const names = new Map(waiting.map((run) => [run.id, run.workflowName]));
  const asked = approvals.map((one): Need => ({
    id: one.id,
    kind: "approval",
    runId: one.runId,
    workflowName: names.get(one.runId) ?? "A run",
    task: one.taskKey,
    since: one.createdAt,
  }));
  const spent = waiting
    .filter((run) => run.waitReason === "budget")
    .map((run): Need => ({
      id: run.id,
      kind: "budget",
      runId: run.id,
      workflowName: run.workflowName,
      task: null,
      since: run.startedAt ?? run.createdAt,
    }));
  return [...asked, ...spent].toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since));
}
