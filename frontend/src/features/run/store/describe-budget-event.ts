import type { EventOf } from "./run-event";

const LIMIT_LABELS: Record<string, string> = {
  maxCost: "cost",
  maxTokens: "tokens",
  maxLlmCalls: "model calls",
  maxSeconds: "active time",
};

/** The text of a budget event in the timeline. */
export function describeBudgetEvent(event: EventOf<"budget.warned" | "budget.exceeded">): string {
  const limit = LIMIT_LABELS[event.data.limit] ?? event.data.limit;
  return event.type === "budget.exceeded"
    ? `Budget exceeded: ${limit}`
    : `Budget almost exceeded: ${limit}`;
}
