/** Stories for tests: events as the server tells them, numbered and timed. */
import type { RunEvent, Usage } from "@/lib/api/types";

import type { Frame, RunSnapshot } from "../store/span";

type Plain = Partial<Omit<RunEvent, "data">> & { type: RunEvent["type"]; data?: object };

const START = Date.parse("2026-11-22T10:00:00Z");

/** Events numbered from `first`, a tenth of a second apart. */
export function told(events: readonly Plain[], first = 1): RunEvent[] {
  let seq = first - 1;
  return events.map((event) => {
    if (event.type !== "llm.chunk") seq += 1;
    const at = new Date(START + seq * 100).toISOString();
    const numbered = event.type === "llm.chunk" ? 0 : seq;
    return { data: {}, runId: "run_1", at, ...event, seq: numbered } as unknown as RunEvent;
  });
}

export function used(tokens: number, amount: string | null = null): Usage {
  return {
    promptTokens: tokens,
    completionTokens: tokens,
    cachedTokens: 0,
    totalTokens: tokens * 2,
    llmCalls: 1,
    toolCalls: 0,
    cost: amount === null ? null : { amount, currency: "USD" },
  };
}

export function snapshot(seq: number): RunSnapshot {
  const data = { status: "running" as const, tasks: [], usage: used(999) };
  const at = new Date(START + seq * 100).toISOString();
  return { type: "run.snapshot", seq, runId: "run_1", at, data };
}

interface CallOptions {
  text?: string;
  usage?: Usage;
  pieces?: string[];
  toolCalls?: string[];
}

/** A model call from its beginning to its end, with the text as it streams. */
export function call(callId: string, where: object, options: CallOptions = {}): Plain[] {
  const { pieces = [], text = pieces.join(""), usage = used(5, "0.001"), toolCalls = [] } = options;
  const same = { callId, call: 1, model: "small" };
  return [
    { type: "llm.started", ...where, data: { ...same, messages: 2, prompt: "Say something" } },
    ...pieces.map((piece) => ({
      type: "llm.chunk" as const,
      ...where,
      data: { callId, text: piece },
    })),
    {
      type: "llm.completed",
      ...where,
      data: { ...same, text, toolCalls, usage, durationMs: 70, finishReason: "stop" },
    },
  ];
}

export function failedCall(callId: string, where: object): Plain[] {
  const same = { callId, call: 1, model: "small" };
  const error = { code: "provider-auth", message: "refused the API key", hint: "Check the key" };
  return [
    { type: "llm.started", ...where, data: { ...same, messages: 2, prompt: "Say something" } },
    { type: "llm.failed", ...where, data: { ...same, error, durationMs: 30 } },
  ];
}

export function tool(id: string, where: object, message?: string): Plain[] {
  const same = { tool: "search", toolCallId: id };
  return [
    { type: "tool.started", ...where, data: { ...same, arguments: { query: "bees" } } },
    message === undefined
      ? { type: "tool.completed", ...where, data: { ...same, output: "found", durationMs: 8 } }
      : { type: "tool.failed", ...where, data: { ...same, message, durationMs: 8 } },
  ];
}

/** A task with one agent that does these steps. */
export function task(key: string, agent: string, steps: (where: object) => Plain[]): Plain[] {
  const where = { taskKey: key, agent };
  return [
    { type: "task.started", ...where, data: { description: `Do ${key}` } },
    { type: "agent.started", ...where, data: { tools: ["search"] } },
    ...steps(where),
    { type: "agent.completed", ...where, data: { output: `${key} done` } },
    { type: "task.completed", ...where, data: { raw: `${key} done`, jsonOutput: null } },
  ];
}

export const begun: Plain[] = [
  { type: "run.queued", data: { workflowId: null, attempt: 1, reason: "started" } },
  { type: "run.started", data: { attempt: 1, engine: "test", native: true } },
];

export function completed(usage: Usage): Plain {
  return { type: "run.completed", data: { raw: "done", usage } };
}

export function framesOf(...parts: Plain[][]): Frame[] {
  return told(parts.flat());
}
