/** Adds what a run asks of people to the span tree. */
import { timeOf, type EventOf } from "./run-event";
import type { SpanBuilder } from "./span-builder";
import { endFields } from "./step-spans";

/** How the names of requests begin in which a tool asks something. */
const QUESTION_OF = "Question of";

export function requestApproval(builder: SpanBuilder, event: EventOf<"approval.requested">): void {
  const { kind, tool } = event.data;
  if (kind !== "tool_call" && kind !== "tool_question")
    builder.pauseTask(event.taskKey ?? "", timeOf(event));
  builder.tree.getOrCreate({
    ...builder.contextOf(event),
    id: `approval:${event.data.approvalId}`,
    kind: "approval",
    name: {
      question: "Question asked",
      tool_question: `${QUESTION_OF} ${tool}`,
      tool_call: `Call of ${tool} to be allowed`,
      review: "Approval requested",
    }[kind ?? "review"],
    state: "waiting",
    output: event.data.arguments
      ? JSON.stringify(event.data.arguments, null, 2)
      : event.data.prompt || event.data.output,
  });
}

export function endApproval(
  builder: SpanBuilder,
  event: EventOf<"approval.resolved"> | EventOf<"approval.expired"> | EventOf<"approval.cancelled">,
): void {
  const span = builder.tree.get(`approval:${event.data.approvalId}`);
  if (!span) return;
  if (event.type === "approval.cancelled") {
    const change = { name: "Approval kept for the resume", state: "stopped" } as const;
    return builder.tree.update(span, { ...endFields(event), ...change });
  }
  if (event.type === "approval.expired") {
    const error = "Expired without an answer";
    builder.tree.update(span, { ...endFields(event), name: "Expired", state: "failed", error });
    return;
  }
  const { action, by, feedback, editedArguments } = event.data;
  const isOfTool = span.name.startsWith(QUESTION_OF);
  const label = {
    approve: isOfTool ? "Answered" : "Approved",
    revise: "Sent back",
    reject: isOfTool ? "Declined" : "Rejected",
    answer: "Answered",
  }[action];
  const isRejected = action === "reject" && !isOfTool;
  builder.tree.update(span, {
    ...endFields(event),
    name: `${label} by ${by}`,
    state: isRejected ? "failed" : "ok",
    ...(isRejected
      ? { error: feedback ? `Rejected: ${feedback}` : "Rejected" }
      : { note: editedArguments && !isOfTool ? "with other arguments" : (feedback ?? "") }),
  });
}
