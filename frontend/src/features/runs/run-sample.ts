/** Test data for this feature. */
import type { RunSummary } from "@/lib/api/types";

export function runSample(part: Partial<RunSummary> = {}): RunSummary {
  return {
    id: "run_1",
    workflowId: "wf_1",
    projectId: null,
    projectVersion: null,
    workflowVersion: 7,
    workflowName: "Market research",
    status: "completed",
    waitReason: null,
    attempt: 1,
    usage: {
      promptTokens: 900,
      completionTokens: 450,
      cachedTokens: 0,
      totalTokens: 1350,
      llmCalls: 3,
      toolCalls: 0,
      callsWithoutUsage: 0,
      callsWithoutCost: 0,
      cost: { amount: "0.031", currency: "USD" },
    },
    error: null,
    metadata: {},
    secondsAtWork: 12,
    createdBy: "ada",
    createdByName: "ada",
    createdAt: "2026-11-22T10:00:00Z",
    startedAt: "2026-11-22T10:00:01Z",
    finishedAt: "2026-11-22T10:00:13Z",
    external: false,
    ...part,
  };
}
