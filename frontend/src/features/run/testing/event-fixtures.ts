/** Run events for tests, with sequence numbers and times as the server assigns them. */
import type { RunEvent, Usage } from "@/lib/api/types";

import type { RunSnapshot, StreamFrame } from "../store/span";

type EventDraft = Partial<Omit<RunEvent, "data">> & { type: RunEvent["type"]; data?: object };

const START = Date.parse("2026-11-22T10:00:00Z");

/** Completes events with numbers from `firstSeq` and times 100 ms apart; chunks have no number. */
export function numberEvents(drafts: readonly EventDraft[], firstSeq = 1): RunEvent[] {
  let seq = firstSeq - 1;
  return drafts.map((draft) => {
    if (draft.type !== "llm.chunk") seq += 1;
    const at = new Date(START + seq * 100).toISOString();
    const ownSeq = draft.type === "llm.chunk" ? 0 : seq;
    return { data: {}, runId: "run_1", at, ...draft, seq: ownSeq } as unknown as RunEvent;
  });
}

export function toFrames(...parts: EventDraft[][]): StreamFrame[] {
  return numberEvents(parts.flat());
}

export function usageOf(tokens: number, amount: string | null = null): Usage {
  return {
    promptTokens: tokens,
    completionTokens: tokens,
    cachedTokens: 0,
    totalTokens: tokens * 2,
    llmCalls: 1,
    toolCalls: 0,
    callsWithoutUsage: 0,
    callsWithoutCost: 0,
    cost: amount === null ? null : { amount, currency: "USD" },
  };
}

export function snapshot(seq: number): RunSnapshot {
  const data = { status: "running" as const, tasks: [], usage: usageOf(999) };
  const at = new Date(START + seq * 100).toISOString();
  return { type: "run.snapshot", seq, runId: "run_1", at, data };
}

interface LlmCallOptions {
  text?: string;
  usage?: Usage;
  chunks?: string[];
  toolCalls?: string[];
}

/** A completed model call with its streamed chunks. `context` holds `taskKey` and `agent`. */
export function llmCall(
  callId: string,
  context: object,
  options: LlmCallOptions = {},
): EventDraft[] {
  const { chunks = [], text = chunks.join(""), toolCalls = [] } = options;
  const usage = options.usage ?? usageOf(5, "0.001");
  const shared = { callId, call: 1, model: "small" };
  return [
    { type: "llm.started", ...context, data: { ...shared, messages: 2, prompt: "Say something" } },
    ...chunks.map((chunk) => ({
      type: "llm.chunk" as const,
      ...context,
      data: { callId, text: chunk },
    })),
    {
      type: "llm.completed",
      ...context,
      data: { ...shared, text, toolCalls, usage, durationMs: 70, finishReason: "stop" },
    },
  ];
}

export function failedLlmCall(callId: string, context: object): EventDraft[] {
  const shared = { callId, call: 1, model: "small" };
  const error = { code: "provider-auth", message: "refused the API key", hint: "Check the key" };
  return [
    { type: "llm.started", ...context, data: { ...shared, messages: 2, prompt: "Say something" } },
    { type: "llm.failed", ...context, data: { ...shared, error, durationMs: 30 } },
  ];
}

/** A tool call; it fails if an error message is given. */
export function toolCall(id: string, context: object, error?: string): EventDraft[] {
  const shared = { tool: "search", toolCallId: id };
  return [
    { type: "tool.started", ...context, data: { ...shared, arguments: { query: "bees" } } },
    error === undefined
      ? { type: "tool.completed", ...context, data: { ...shared, output: "found", durationMs: 8 } }
      : { type: "tool.failed", ...context, data: { ...shared, message: error, durationMs: 8 } },
  ];
}

/** A completed task whose only agent performs the given steps. */
export function taskEvents(
  key: string,
  agent: string,
  steps: (context: object) => EventDraft[],
): EventDraft[] {
  const context = { taskKey: key, agent };
  return [
    { type: "task.started", ...context, data: { description: `Do ${key}` } },
    { type: "agent.started", ...context, data: { tools: ["search"] } },
    ...steps(context),
    { type: "agent.completed", ...context, data: { output: `${key} done` } },
    { type: "task.completed", ...context, data: { raw: `${key} done`, jsonOutput: null } },
  ];
}

export const RUN_STARTED: EventDraft[] = [
  { type: "run.queued", data: { workflowId: null, attempt: 1, reason: "started" } },
  { type: "run.started", data: { attempt: 1, engine: "test", native: true } },
];

export function runCompleted(usage: Usage): EventDraft {
  return { type: "run.completed", data: { raw: "done", usage } };
}
