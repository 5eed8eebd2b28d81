/** The steps within a task: what each event of them makes of the tree. */
import type { RunEvent } from "@/lib/api/types";

import type { Draft, SpanKind } from "./span";
import { timeOf, type Of, type Stage } from "./span-builder";
import { NO_USAGE } from "./add-usage";

const ONE_CALL = { ...NO_USAGE, llmCalls: 1 };
export const ONE_TOOL = { ...NO_USAGE, toolCalls: 1 };

export function callStarted(stage: Stage, event: Of<"llm.started">, late: boolean): void {
  stage.tree.begin({ ...call(stage, event), input: event.data.prompt ?? "", gap: late });
}

function call(stage: Stage, event: Of<"llm.started" | "llm.completed" | "llm.failed">) {
  const { callId, model } = event.data;
  const messages = "messages" in event.data ? `, ${event.data.messages} messages` : "";
  const note = `call ${event.data.call}${messages}`;
  const looks = { kind: "llm" as const, name: model, model, note, subject: callId };
  return { ...stage.place(event), id: `llm:${callId}`, ...looks };
}

export function callCompleted(stage: Stage, event: Of<"llm.completed">): void {
  const span = stage.tree.begin(call(stage, event));
  const { text, toolCalls, durationMs, usage, finishReason } = event.data;
  stage.tree.set(span, {
    ...ending(event),
    state: "ok",
    output: text,
    gap: false,
    cut: false,
    toolCalls: toolCalls ?? [],
    durationMs,
    json: finishReason ? { finishReason } : null,
  });
  stage.tree.spend(span, usage);
  stage.tree.outdo(span);
}

export function callFailed(stage: Stage, event: Of<"llm.failed">): void {
  const span = stage.tree.begin(call(stage, event));
  const { error, durationMs, willRetry } = event.data;
  stage.tree.set(span, {
    ...ending(event),
    state: willRetry ? "retried" : "failed",
    failure: error,
    error: error.message,
    durationMs,
  });
  stage.tree.spend(span, ONE_CALL);
}

export function toolStarted(stage: Stage, event: Of<"tool.started">): void {
  const json = event.data.arguments ?? null;
  stage.tree.begin({ ...tool(stage, event), json, input: written(json) });
}

function tool(stage: Stage, event: Of<"tool.started" | "tool.completed" | "tool.failed">) {
  const { tool: name, toolCallId } = event.data;
  const looks = { kind: "tool" as const, name, subject: toolCallId };
  return { ...stage.place(event), id: `tool:${toolCallId}`, ...looks };
}

export function toolCompleted(stage: Stage, event: Of<"tool.completed">): void {
  const span = stage.tree.begin(tool(stage, event));
  const { output, durationMs, fromCache } = event.data;
  const note = fromCache ? "from cache" : "";
  stage.tree.set(span, { ...ending(event), state: "ok", output, durationMs, note });
  stage.tree.spend(span, ONE_TOOL);
  stage.tree.outdo(span);
}

export function toolFailed(stage: Stage, event: Of<"tool.failed">): void {
  const span = stage.tree.begin(tool(stage, event));
  const { message, durationMs } = event.data;
  stage.tree.set(span, { ...ending(event), state: "failed", error: message, durationMs });
  stage.tree.spend(span, ONE_TOOL);
}

export function guardrail(
  stage: Stage,
  event: Of<"guardrail.passed"> | Of<"guardrail.failed">,
): void {
  const passed = event.type === "guardrail.passed";
  const { guardrail: name, message, retry } = event.data;
  const span = point(stage, event, "guardrail", name ?? "Guardrail", {
    state: passed ? "ok" : "failed",
    error: passed ? "" : (message ?? "Not passed"),
    note: retry ? `retry ${retry}` : "",
  });
  if (passed) stage.tree.outdo(span);
}

type MessageEvent = Of<"message.queued"> | Of<"message.delivered"> | Of<"message.answered">;

export function message(stage: Stage, event: MessageEvent): void {
  const { tree } = stage;
  const span = tree.begin({
    ...stage.place(event),
    id: `message:${event.data.messageId}`,
    kind: "message",
    name: "Message",
    state: "waiting",
    note: "queued",
    subject: event.data.messageId,
  });
  if (event.type === "message.queued") return tree.set(span, { input: event.data.text });
  const reached = event.type === "message.delivered";
  const news = reached
    ? { note: `reached ${event.agent ?? "the agent"} in call ${event.data.call}` }
    : { note: "answered", output: event.data.text };
  tree.set(span, { ...ending(event), state: "ok", ...news });
}

export function approvalRequested(stage: Stage, event: Of<"approval.requested">): void {
  const key = event.taskKey ?? "";
  stage.taskWaits(key, timeOf(event));
  stage.tree.begin({
    ...stage.place(event),
    id: `approval:${event.data.approvalId}`,
    kind: "approval",
    name: "Waits for a person",
    state: "waiting",
    output: event.data.output,
    subject: event.data.approvalId,
  });
}

export function approvalEnds(
  stage: Stage,
  event: Of<"approval.resolved"> | Of<"approval.expired">,
): void {
  const span = stage.tree.get(`approval:${event.data.approvalId}`);
  if (!span) return;
  if (event.type === "approval.expired") {
    const error = "Nobody answered in time";
    return stage.tree.set(span, { ...ending(event), name: "Expired", state: "failed", error });
  }
  const { action, by, feedback } = event.data;
  const words = { approve: "Approved", revise: "Sent back", reject: "Rejected" }[action];
  const said = feedback ? `: ${feedback}` : "";
  const rejected = action === "reject";
  stage.tree.set(span, {
    ...ending(event),
    name: `${words} by ${by}`,
    state: rejected ? "failed" : "ok",
    ...(rejected ? { error: `Rejected${said}` } : { note: feedback ?? "" }),
  });
}

/** Something that has no length: a warning, a verdict, a file. */
export function point(
  stage: Stage,
  event: RunEvent,
  kind: SpanKind,
  name: string,
  rest: Partial<Draft>,
): Draft {
  const id = `${kind}:${event.seq}`;
  const { children: _none, ...given } = rest;
  const when = { finishedAt: timeOf(event), durationMs: 0, endSeq: event.seq };
  return stage.tree.begin({ ...stage.place(event), ...given, id, kind, name, ...when });
}

function ending(event: RunEvent) {
  return { finishedAt: timeOf(event), endSeq: event.seq };
}

function written(value: unknown): string {
  if (value == null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
