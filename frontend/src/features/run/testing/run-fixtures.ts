/** API responses for the tests of the run page. */
import type { Approval, Message, Run, RunTask, Usage } from "@/lib/api/types";

export const USAGE: Usage = {
  promptTokens: 900,
  completionTokens: 100,
  cachedTokens: 0,
  totalTokens: 1000,
  llmCalls: 2,
  toolCalls: 0,
  callsWithoutUsage: 0,
  callsWithoutCost: 0,
  cost: { amount: "0.5", currency: "USD" },
};

export function sampleRun(change: Partial<Run> = {}): Run {
  const agents = ["researcher", "writer"].map((key) => ({
    key,
    role: key,
    goal: "Work",
    backstory: "Keen.",
  }));
  const tasks = [
    { key: "research", description: "Find", expectedOutput: "Facts", agent: "researcher" },
    {
      key: "draft",
      description: "Write",
      expectedOutput: "Note",
      agent: "writer",
      humanInput: true,
    },
  ];
  return {
    id: "run_123456abcdef",
    workflowId: "wf_1",
    workflowVersion: 7,
    workflowName: "Market research",
    status: "running",
    waitReason: null,
    attempt: 1,
    usage: USAGE,
    error: null,
    metadata: {},
    secondsAtWork: 12,
    createdBy: "ada",
    createdByName: "ada",
    createdAt: "2026-11-22T10:00:00Z",
    startedAt: "2026-11-22T10:00:01Z",
    finishedAt: null,
    definition: { name: "Market research", agents, tasks, inputs: [] },
    inputs: {},
    budget: {},
    result: null,
    receipt: null,
    forkedFrom: null,
    projectId: null,
    lastSeq: 40,
    queuedBecause: null,
    version: 3,
    ...change,
  } as Run;
}

export function sampleTask(change: Partial<RunTask> = {}): RunTask {
  return {
    key: "research",
    agent: "researcher",
    status: "completed",
    result: { raw: "Bees fly.", jsonOutput: null, agent: "researcher" },
    error: null,
    startedAt: "2026-11-22T10:00:01Z",
    finishedAt: "2026-11-22T10:00:03Z",
    ...change,
  } as RunTask;
}

export function sampleMessage(change: Partial<Message> = {}): Message {
  return {
    id: "msg_1",
    runId: "run_123456abcdef",
    text: "Mention honey.",
    agent: null,
    status: "queued",
    call: null,
    taskKey: null,
    deliveredTo: null,
    answer: null,
    answeredBy: null,
    createdBy: "ada",
    createdByName: "ada",
    createdAt: "2026-11-22T10:00:05Z",
    deliveredAt: null,
    answeredAt: null,
    ...change,
  };
}

export function sampleApproval(change: Partial<Approval> = {}): Approval {
  return {
    id: "appr_1",
    runId: "run_123456abcdef",
    kind: "review",
    taskKey: "draft",
    agent: "writer",
    prompt: "",
    output: "# Bees\n\nBees hum.",
    tool: null,
    arguments: null,
    parameters: null,
    editedArguments: null,
    forRun: false,
    status: "open",
    feedback: null,
    resolvedBy: null,
    resolvedByName: null,
    createdAt: "2026-11-22T10:00:05Z",
    expiresAt: "2099-11-22T10:00:05Z",
    resolvedAt: null,
    assignedRole: null,
    assignedPersonId: null,
    assignedPersonName: null,
    isMine: true,
    mayAnswer: true,
    ...change,
  };
}
