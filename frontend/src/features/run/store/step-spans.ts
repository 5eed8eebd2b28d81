/**
 * Adds the steps within a task to the span tree: model calls, tools, guardrails, messages,
 * approvals.
 */
import type { RunEvent } from "@/lib/api/types";

import { NO_USAGE } from "./add-usage";
import { failedStep, timeOf, type EventOf } from "./run-event";
import type { MutableSpan, SpanKind } from "./span";
import type { SpanBuilder } from "./span-builder";

/** A failed call whose event was stored before events had the usage of failed calls. */
export const ONE_LLM_CALL = { ...NO_USAGE, llmCalls: 1 };
export const ONE_TOOL_CALL = { ...NO_USAGE, toolCalls: 1 };

/** `isReplayed`: the event predates the connection, so text streamed before it is missing. */
export function startLlmCall(
  builder: SpanBuilder,
  event: EventOf<"llm.started">,
  isReplayed: boolean,
): void {
  const input = event.data.prompt ?? "";
  builder.tree.getOrCreate({ ...llmSpanFields(builder, event), input, hasGap: isReplayed });
}

export function completeLlmCall(builder: SpanBuilder, event: EventOf<"llm.completed">): void {
  const span = builder.tree.getOrCreate(llmSpanFields(builder, event));
  const { text, toolCalls, durationMs, usage, finishReason } = event.data;
  builder.tree.update(span, {
    ...endFields(event),
    state: "ok",
    output: text,
    hasGap: false,
    isTruncated: false,
    toolCalls: toolCalls ?? [],
    durationMs,
    json: finishReason ? { finishReason } : null,
  });
  builder.tree.addUsage(span, usage);
  builder.tree.markRetried(span);
}

export function failLlmCall(builder: SpanBuilder, event: EventOf<"llm.failed">): void {
  const span = builder.tree.getOrCreate(llmSpanFields(builder, event));
  const { error, durationMs, willRetry } = event.data;
  builder.tree.update(span, {
    ...endFields(event),
    state: willRetry ? "retried" : "failed",
    failure: error,
    error: error.message,
    durationMs,
  });
  builder.tree.addUsage(span, event.data.usage ?? ONE_LLM_CALL);
}

function llmSpanFields(
  builder: SpanBuilder,
  event: EventOf<"llm.started" | "llm.completed" | "llm.failed">,
) {
  const { callId, model, call } = event.data;
  const messages = "messages" in event.data ? `, ${event.data.messages} messages` : "";
  const note = `call ${call}${messages}`;
  return {
    ...builder.contextOf(event),
    id: `llm:${callId}`,
    kind: "llm" as const,
    name: model,
    note,
  };
}

export function startToolCall(builder: SpanBuilder, event: EventOf<"tool.started">): void {
  const json = event.data.arguments ?? null;
  const input = json === null || typeof json === "string" ? json : JSON.stringify(json, null, 2);
  builder.tree.getOrCreate({ ...toolSpanFields(builder, event), json, input: input ?? "" });
}

/** Adds what a running tool reports to one step within its call, and the newest to the call itself. */
export function addToolProgress(builder: SpanBuilder, event: EventOf<"tool.progress">): void {
  const { tree } = builder;
  const call = tree.getOrCreate(toolSpanFields(builder, event));
  const line = describeProgress(event.data);
  if (!line) return;
  const span = tree.getOrCreate({
    ...builder.contextOf(event),
    id: `progress:${event.data.toolCallId}`,
    kind: "note",
    name: "Progress",
    parent: call.id,
    state: "ok",
  });
  const output = span.output ? `${span.output}\n${line}` : line;
  tree.update(span, { ...endFields(event), output });
  if (call.state === "running") tree.update(call, { note: line });
}

export function completeToolCall(builder: SpanBuilder, event: EventOf<"tool.completed">): void {
  const span = builder.tree.getOrCreate(toolSpanFields(builder, event));
  const { output, durationMs, fromCache } = event.data;
  const note = fromCache ? "from cache" : "";
  builder.tree.update(span, { ...endFields(event), state: "ok", output, durationMs, note });
  builder.tree.addUsage(span, ONE_TOOL_CALL);
  builder.tree.markRetried(span);
}

export function failToolCall(builder: SpanBuilder, event: EventOf<"tool.failed">): void {
  const span = builder.tree.getOrCreate(toolSpanFields(builder, event));
  const { durationMs, cutOff } = event.data;
  const duration = cutOff ? {} : { durationMs };
  builder.tree.update(span, { ...endFields(event), ...failedStep(event), ...duration });
  builder.tree.addUsage(span, ONE_TOOL_CALL);
}

function toolSpanFields(
  builder: SpanBuilder,
  event: EventOf<"tool.started" | "tool.progress" | "tool.completed" | "tool.failed">,
) {
  const { tool: name, toolCallId } = event.data;
  return { ...builder.contextOf(event), id: `tool:${toolCallId}`, kind: "tool" as const, name };
}

export function addGuardrail(
  builder: SpanBuilder,
  event: EventOf<"guardrail.passed"> | EventOf<"guardrail.failed">,
): void {
  const passed = event.type === "guardrail.passed";
  const { guardrail: name, message, retry } = event.data;
  const span = addPoint(builder, event, "guardrail", name ?? "Guardrail", {
    state: passed ? "ok" : "failed",
    error: passed ? "" : (message ?? "Guardrail failed"),
    note: retry ? `retry ${retry}` : "",
  });
  if (passed) builder.tree.markRetried(span);
}

type MessageEvent =
  | EventOf<"message.queued">
  | EventOf<"message.delivered">
  | EventOf<"message.answered">
  | EventOf<"message.closed">;

export function updateMessage(builder: SpanBuilder, event: MessageEvent): void {
  const { tree } = builder;
  const span = tree.getOrCreate({
    ...builder.contextOf(event),
    id: `message:${event.data.messageId}`,
    kind: "message",
    name: "Message",
    state: "waiting",
    note: "queued",
  });
  switch (event.type) {
    case "message.queued": {
      const input = event.data.text;
      return tree.update(span, { input, state: "waiting", note: "queued", finishedAt: null });
    }
    case "message.closed": {
      const note = event.data.status === "undelivered" ? "not delivered" : "not answered";
      return tree.update(span, { ...endFields(event), state: "stopped", note });
    }
    case "message.delivered": {
      const note = `delivered to ${event.agent ?? "the agent"} in call ${event.data.call}`;
      return tree.update(span, { ...endFields(event), state: "ok", note });
    }
    case "message.answered":
      return tree.update(span, {
        ...endFields(event),
        state: "ok",
        note: "answered",
        output: event.data.text,
      });
  }
}

/** Adds a span without duration, e.g. a warning or a saved file. */
export function addPoint(
  builder: SpanBuilder,
  event: RunEvent,
  kind: SpanKind,
  name: string,
  fields: Partial<Omit<MutableSpan, "children">>,
): MutableSpan {
  return builder.tree.getOrCreate({
    ...builder.contextOf(event),
    ...fields,
    id: `${kind}:${event.seq}`,
    kind,
    name,
    durationMs: 0,
    ...endFields(event),
  });
}

/** The name of spans that collect printed lines. */
export const PRINTED_OUTPUT = "Printed output";
/** How many characters of printed lines one span shows. */
const MAX_LOG_LENGTH = 20_000;

/** Adds a printed line to the span of the lines just before it, or starts another span. */
export function addLogLine(
  builder: SpanBuilder,
  event: EventOf<"log.line">,
  previous: MutableSpan | null,
): MutableSpan {
  const { text } = event.data;
  if (previous && previous.output.length + text.length < MAX_LOG_LENGTH) {
    builder.tree.update(previous, { output: `${previous.output}\n${text}`, ...endFields(event) });
    return previous;
  }
  return addPoint(builder, event, "note", PRINTED_OUTPUT, { state: "ok", output: text });
}

/** For example "3 of 10: Reading pages". */
function describeProgress({ message, progress, total }: EventOf<"tool.progress">["data"]): string {
  const done = progress == null ? "" : total == null ? `${progress}` : `${progress} of ${total}`;
  return [done, message].filter(Boolean).join(": ");
}

/** What ends a span: the time and the number of its last event. */
export function endFields(event: RunEvent) {
  return { finishedAt: timeOf(event), endSeq: event.seq };
}
