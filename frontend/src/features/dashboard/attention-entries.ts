import type { Approval, RunSummary } from "@/lib/api/types";
import { previewText } from "@/lib/format";

export interface AttentionEntry {
  key: string;
  kind: "approval" | "budget" | "failed" | "crashed";
  runId: string;
  title: string;
  detail: string;
  at: string;
}

/** Approval requests first, then exceeded budgets, then failures, each newest first. */
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
  const requester = approval.agent ?? approval.taskKey ?? "The project";
  const title = {
    question: "A question",
    tool_question: `${approval.tool} asks a question`,
    tool_call: `${requester} wants to call ${approval.tool}`,
    review: `${requester} requests approval`,
  }[approval.kind];
  const isCall = approval.kind === "tool_call" && approval.arguments;
  const call = isCall ? JSON.stringify(approval.arguments) : "";
  return {
    key: approval.id,
    kind: "approval",
    runId: approval.runId,
    title: workflow ? `${workflow}: ${title}` : title,
    detail: previewText(call || approval.prompt || approval.output || "The code waits for input"),
    at: approval.createdAt,
  };
}

function budgetEntry(run: RunSummary): AttentionEntry {
  return {
    key: run.id,
    kind: "budget",
    runId: run.id,
    title: run.workflowName,
    detail: "Raise the budget to continue the run",
    at: run.startedAt ?? run.createdAt,
  };
}

function failureEntry(run: RunSummary): AttentionEntry {
  return {
    key: run.id,
    kind: run.status === "crashed" ? "crashed" : "failed",
    runId: run.id,
    title: run.workflowName,
    detail: run.error ? previewText(run.error.message) : "No error message",
    at: run.finishedAt ?? run.createdAt,
  };
}
