/** Test data for this feature. */
import type { RunSummary } from "@/lib/api/types";

import type { Bucket, Insights, WorkflowInsight } from "./insights-query";

const USD = (amount: string) => ({ amount, currency: "USD" });

export function bucketSample(part: Partial<Bucket> = {}): Bucket {
  return {
    at: "2026-11-22T10:00:00Z",
    completed: 0,
    failed: 0,
    stopped: 0,
    crashed: 0,
    active: 0,
    activeElsewhere: 0,
    cost: null,
    knownCost: null,
    totalTokens: 0,
    ...part,
  };
}

export function workflowSample(part: Partial<WorkflowInsight> = {}): WorkflowInsight {
  return {
    workflowId: "wf_1",
    name: "Market research",
    runs: 4,
    successRate: 0.75,
    medianSeconds: 12,
    cost: USD("0.40"),
    knownCost: USD("0.40"),
    ...part,
  };
}

export function insightsSample(part: Partial<Insights> = {}): Insights {
  return {
    period: "24h",
    since: "2026-11-21T19:00:00Z",
    until: "2026-11-22T19:00:00Z",
    bucketSeconds: 3600,
    totals: {
      runs: 5,
      completed: 3,
      failed: 1,
      stopped: 0,
      crashed: 0,
      active: 1,
      activeElsewhere: 0,
      successRate: 0.75,
      cost: USD("0.50"),
      knownCost: USD("0.50"),
      totalTokens: 12_000,
      medianSeconds: 12,
      p95Seconds: 61,
    },
    buckets: [
      bucketSample({ completed: 3, active: 1, cost: USD("0.50"), knownCost: USD("0.50") }),
      bucketSample({ at: "2026-11-22T11:00:00Z", failed: 1 }),
      bucketSample({ at: "2026-11-22T12:00:00Z" }),
    ],
    workflows: [workflowSample()],
    ...part,
  };
}

export function runSample(part: Partial<RunSummary> = {}): RunSummary {
  return {
    id: "run_1",
    workflowId: "wf_1",
    workflowVersion: 1,
    workflowName: "Market research",
    status: "running",
    waitReason: null,
    attempt: 1,
    usage: { totalTokens: 950 },
    error: null,
    metadata: {},
    secondsAtWork: 0,
    external: false,
    createdBy: "ada",
    createdByName: "ada",
    createdAt: "2026-11-22T10:00:00Z",
    startedAt: "2026-11-22T10:00:01Z",
    finishedAt: null,
    ...part,
  } as RunSummary;
}
