/** What waits for a person, in the order of urgency. */
import type { Approval, RunSummary } from "@/lib/api/types";
import { previewText } from "@/lib/format";

export interface AttentionEntry {
  key: string;
  kind: "question" | "budget" | "failed" | "crashed";
  runId: string;
  title: string;
  detail: string;
  at: string;
}

/** Questions first, then runs whose budget is used up, then what has failed, newest first. */
export function attentionEntries(
  approvals: readonly Approval[],
  waiting: readonly RunSummary[],
  failed: readonly RunSummary[],
): AttentionEntry[] {
  const names = new Map(waiting.map((run) => [run.id, run.workflowName]));
  return [
    ...approvals.map((approval) => approvalEntry(approval, names.get(approval.runId))),
    ...waiting.filter((run) => run.waitReason === "budget").map(budgetEntry),
    ...failed.map(failureEntry),
  ];
}

function approvalEntry(approval: Approval, workflow: string | undefined): AttentionEntry {
  const asker = approval.agent ?? approval.taskKey;
  return {
    key: approval.id,
    kind: "question",
    runId: approval.runId,
    title: workflow ? `${workflow}: ${asker} asks` : `${asker} asks`,
    detail: previewText(approval.output),
    at: approval.createdAt,
  };
}

function budgetEntry(run: RunSummary): AttentionEntry {
  return {
    key: run.id,
    kind: "budget",
    runId: run.id,
    title: run.workflowName,
    detail: "Its budget is used up; raise it to go on",
    at: run.startedAt ?? run.createdAt,
  };
}

function failureEntry(run: RunSummary): AttentionEntry {
  return {
    key: run.id,
    kind: run.status === "crashed" ? "crashed" : "failed",
    runId: run.id,
    title: run.workflowName,
    detail: run.error ? previewText(run.error.message) : "It ended without a word",
    at: run.finishedAt ?? run.createdAt,
  };
}
