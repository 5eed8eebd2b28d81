/** Where a failure is mended: at the provider, in the workflow, or by letting the run go on. */
export type Remedy = "provider" | "resume" | "agent" | "task" | "none";

const REMEDIES: Record<string, Remedy> = {
  "provider-auth": "provider",
  "provider-forbidden": "provider",
  "provider-quota": "provider",
  "provider-unreachable": "provider",
  "provider-garbage": "provider",
  "model-not-found": "provider",
  "model-unknown": "provider",
  "provider-rate-limit": "resume",
  "provider-error": "resume",
  "run-timeout": "resume",
  "engine-unavailable": "resume",
  "provider-timeout": "agent",
  "provider-empty": "agent",
  "context-too-long": "agent",
  "provider-bad-request": "agent",
  "agent-timeout": "agent",
  "tool-failed": "task",
  "guardrail-failed": "task",
  "output-invalid": "task",
  "input-missing": "task",
};

export function remedyFor(code: string): Remedy {
  return REMEDIES[code] ?? "none";
}
