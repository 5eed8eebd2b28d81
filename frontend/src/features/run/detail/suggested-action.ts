/**
 * What to change after a failure: the provider, the agent or the task; `resume` if only time is
 * needed.
 */
export type SuggestedAction = "provider" | "resume" | "agent" | "task" | "none";

const ACTIONS: Record<string, SuggestedAction> = {
  "provider-auth": "provider",
  "provider-forbidden": "provider",
  "provider-quota": "provider",
  "provider-unreachable": "provider",
  "provider-garbage": "provider",
  "model-not-found": "provider",
  "model-unknown": "provider",
  "provider-rate-limit": "resume",
  "provider-error": "resume",
  "provider-interrupted": "resume",
  "run-timeout": "resume",
  "engine-unavailable": "resume",
  "workspace-spending-exceeded": "resume",
  "provider-timeout": "agent",
  "provider-empty": "agent",
  "answer-truncated": "agent",
  "context-too-long": "agent",
  "provider-bad-request": "agent",
  "agent-timeout": "agent",
  "answer-filtered": "task",
  "answer-refused": "task",
  "tool-failed": "task",
  "guardrail-failed": "task",
  "output-invalid": "task",
  "input-missing": "task",
};

export function suggestedAction(code: string): SuggestedAction {
  return ACTIONS[code] ?? "none";
}
