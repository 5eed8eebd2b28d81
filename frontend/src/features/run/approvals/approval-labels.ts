import { ApiProblem, describeError } from "@/lib/api/problem";
import type { Approval } from "@/lib/api/types";
import { formatDuration } from "@/lib/format";

/** What became of a question, in words. */
export function outcome(approval: Approval): string {
  const by = approval.resolvedBy ? ` by ${approval.resolvedBy}` : "";
  const agent = approval.agent ?? "the agent";
  return {
    open: "Waiting for an answer",
    approved: `Approved${by}`,
    revised: `Sent back to ${agent}${by}`,
    rejected: `Rejected${by}`,
    expired: "Nobody answered in time",
    cancelled: "Withdrawn: the run ended before it was answered",
  }[approval.status];
}

/** `Expires in 3h 5m`; a question that is past its time says so. */
export function expiry(approval: Approval, now: number): string {
  const left = Date.parse(approval.expiresAt) - now;
  if (left <= 0) return "Its time is over";
  return left < 60_000 ? "Expires in less than a minute" : `Expires in ${formatDuration(left)}`;
}

/** Why an answer was not taken, and what to do now. */
export function refusal(error: unknown): { title: string; detail: string } {
  if (error instanceof ApiProblem && error.status === 409) {
    const detail = `${error.detail} Your answer was not needed any more; the run goes on with the other one.`;
    return { title: "Somebody has answered already", detail };
  }
  if (error instanceof ApiProblem && error.status === 410) {
    const detail = "Nobody answered in time, so the run has failed. Resume it to be asked again.";
    return { title: "The question has expired", detail };
  }
  if (error instanceof ApiProblem && error.status === 403) {
    const detail = "Answering needs an API key with the scope approvals:write.";
    return { title: "This key may not answer", detail };
  }
  const { title, detail } = describeError(error);
  return { title, detail };
}
