import { ApiProblem, describeError } from "@/lib/api/problem";
import type { Approval } from "@/lib/api/types";
import { formatDuration } from "@/lib/format";

/** What is asked, e.g. `writer requests approval for draft`. */
export function requestTitle(approval: Approval): string {
  if (approval.kind === "review") {
    return `${approval.agent ?? "The crew"} requests approval for ${approval.taskKey}`;
  }
  if (approval.kind === "tool_call") {
    return `${approval.agent ?? "The crew"} wants to call ${approval.tool}`;
  }
  if (approval.kind === "tool_question") return `${approval.tool} asks a question`;
  return approval.taskKey ? `The project asks in ${approval.taskKey}` : "The project asks";
}

const APPROVED: Partial<Record<Approval["kind"], string>> = {
  tool_call: "Allowed",
  tool_question: "Answered",
};
const REJECTED: Partial<Record<Approval["kind"], string>> = {
  tool_call: "Refused",
  tool_question: "Declined",
};

/** The status of an approval request, e.g. `Approved by Ada`; without the name where nobody else is. */
export function outcomeLabel(approval: Approval, isShared: boolean): string {
  const by = isShared && approval.resolvedByName ? ` by ${approval.resolvedByName}` : "";
  const agent = approval.agent ?? "the agent";
  return {
    open: approval.kind === "review" ? "Waiting for review" : "Waiting for an answer",
    approved: `${APPROVED[approval.kind] ?? "Approved"}${by}`,
    answered: `Answered${by}`,
    revised: `Sent back to ${agent}${by}`,
    rejected: `${REJECTED[approval.kind] ?? "Rejected"}${by}`,
    expired: "Expired without an answer",
    cancelled: "Cancelled because the run ended",
  }[approval.status];
}

/** Who may answer a request, e.g. `Ann` or `editors`; null for everyone with the right to answer. */
export function addresseeLabel(approval: Approval): string | null {
  if (approval.assignedPersonId) return approval.assignedPersonName ?? "someone who is gone";
  return approval.assignedRole ? `${approval.assignedRole}s` : null;
}

/** The time left, e.g. `Expires in 3h 5m`. */
export function expiryLabel(approval: Approval, now: number): string {
  const remainingMs = Date.parse(approval.expiresAt) - now;
  if (remainingMs <= 0) return "Expired";
  return remainingMs < 60_000
    ? "Expires in less than a minute"
    : `Expires in ${formatDuration(remainingMs)}`;
}

/** Explains why an answer was refused and what to do. */
export function resolveErrorMessage(error: unknown): { title: string; detail: string } {
  if (error instanceof ApiProblem && error.status === 409) {
    return { title: "Already answered", detail: `${error.detail} Your answer was not used.` };
  }
  if (error instanceof ApiProblem && error.status === 410) {
    const detail =
      "The run failed because the request expired. Resume it to request approval again.";
    return { title: "Approval request expired", detail };
  }
  if (error instanceof ApiProblem && error.status === 403 && error.slug !== "approval-not-yours") {
    const detail = "Answering requires an API key with the approvals:write scope.";
    return { title: "Permission denied", detail };
  }
  const { title, detail } = describeError(error);
  return { title, detail };
}
