import type { RunEvent, TaskState } from "@/lib/api/types";

import { failedStep, timeOf, type EventOf } from "./run-event";
import { isOpen, type MutableSpan, type SpanState } from "./span";
import { SpanTree } from "./span-tree";
import type { PlannedTask, TaskProgress } from "./task-progress";

/** Builds the span tree and the task progress from task, agent and delegation events. */
export class SpanBuilder {
  readonly tree: SpanTree;
  tasks: ReadonlyMap<string, TaskProgress> = new Map();
  attempt = 1;
  private readonly newestTaskSpan = new Map<string, MutableSpan>();
  /** Open agent and delegation spans by task key, innermost last. */
  private readonly openSpans = new Map<string, MutableSpan[]>();

  constructor(planned: readonly PlannedTask[], maxSpans?: number) {
    this.tree = new SpanTree(maxSpans);
    for (const { key, agent } of planned) {
      const span = this.taskSpanToStart(key, agent, 0);
      this.tree.update(span, { state: "pending" });
      this.setTaskState(span, "pending");
    }
  }

  startTask(event: EventOf<"task.started">): void {
    const key = event.taskKey ?? "";
    const span = this.taskSpanToStart(key, event.agent ?? null, event.seq);
    this.tree.update(span, {
      state: "running",
      agent: event.agent ?? span.agent,
      attempt: this.attempt,
      startedAt: span.startedAt ?? timeOf(event),
      finishedAt: null,
      input: event.data.description,
      startSeq: span.startSeq || event.seq,
    });
    this.openSpans.delete(key);
    this.setTaskState(span, "running");
  }

  completeTask(event: EventOf<"task.completed"> | EventOf<"task.reused">): void {
    const key = event.taskKey ?? "";
    const existing = this.newestTaskSpan.get(key);
    const isReused = event.type === "task.reused";
    // Every attempt reports the tasks finished by earlier attempts again.
    if (isReused && (existing?.state === "ok" || existing?.state === "reused")) return;
    const span = existing ?? this.taskSpanToStart(key, event.agent ?? null, event.seq);
    const { raw, jsonOutput } = event.data;
    // A task that waited for approval is reported as reused once the run resumes, but finished just now.
    this.endTask(event, span, isReused && span.state !== "waiting" ? "reused" : "ok", {
      output: raw,
      json: jsonOutput ?? null,
      agent: event.agent ?? span.agent,
    });
    this.setTaskState(span, isReused ? "reused" : "completed");
    this.tree.markRecovered(span);
    this.tree.markRetried(span);
  }

  failTask(event: EventOf<"task.failed">): void {
    const failure = event.data.error;
    const span = this.currentTaskSpan(event);
    this.endTask(event, span, "failed", { failure, error: failure.message });
    this.setTaskState(span, "failed");
  }

  /** Ends a task without a result: the attempt ended while it was running, or it was never started. */
  abandonTask(event: EventOf<"task.interrupted"> | EventOf<"task.skipped">): void {
    const isSkipped = event.type === "task.skipped";
    const span = this.currentTaskSpan(event);
    this.endTask(event, span, isSkipped ? "skipped" : "stopped", {});
    this.setTaskState(span, isSkipped ? "skipped" : "interrupted");
  }

  startAgent(event: EventOf<"agent.started">): void {
    const open = this.openSpansOf(event.taskKey);
    const previous = findAgentSpan(open, event.agent);
    if (previous) this.closeFrom(open, previous, timeOf(event));
    const parent = open.at(-1) ?? this.newestTaskSpan.get(event.taskKey ?? "");
    const span = this.tree.getOrCreate({
      ...this.contextOf(event),
      id: `agent:${event.seq}`,
      kind: "agent",
      name: event.agent ?? "Agent",
      parent: parent?.id ?? null,
      toolCalls: event.data.tools ?? [],
    });
    open.push(span);
  }

  endAgent(
    event: EventOf<"agent.completed"> | EventOf<"agent.failed">,
    change: { state: SpanState; output?: string; error?: string },
  ): void {
    const open = this.openSpansOf(event.taskKey);
    const span = findAgentSpan(open, event.agent);
    if (!span) return;
    this.tree.update(span, { ...change, finishedAt: timeOf(event), endSeq: event.seq });
    this.closeFrom(open, span, timeOf(event));
    if (change.state === "ok") this.tree.markRetried(span);
  }

  startDelegation(event: EventOf<"delegation.started">): void {
    const span = this.tree.getOrCreate({
      ...this.contextOf(event),
      id: `delegation:${event.data.toolCallId}`,
      kind: "delegation",
      name: `Delegated to ${event.data.to}`,
      input: event.data.request,
    });
    this.openSpansOf(event.taskKey).push(span);
  }

  endDelegation(event: EventOf<"delegation.completed"> | EventOf<"delegation.failed">): void {
    const change: { state: SpanState; output?: string; error?: string } =
      event.type === "delegation.failed"
        ? failedStep(event)
        : { state: "ok", output: event.data.output };
    const span = this.tree.get(`delegation:${event.data.toolCallId}`);
    if (!span) return;
    this.tree.update(span, { ...change, finishedAt: timeOf(event), endSeq: event.seq });
    this.closeFrom(this.openSpansOf(event.taskKey), span, timeOf(event));
  }

  /** The fields that every span created by an event shares. */
  contextOf(event: RunEvent) {
    return {
      parent: this.parentIdOf(event),
      taskKey: event.taskKey ?? null,
      agent: event.agent ?? null,
      attempt: this.attempt,
      startedAt: timeOf(event),
      startSeq: event.seq,
    };
  }

  /** Marks a task as waiting, e.g. for an approval. */
  pauseTask(key: string, at: number): void {
    const span = this.newestTaskSpan.get(key);
    if (!span) return;
    for (const child of this.tree.childrenOf(span)) {
      if (child.state !== "waiting") this.tree.closeAll(child, "stopped", at);
    }
    this.openSpans.delete(key);
    this.tree.update(span, { state: "waiting" });
    this.setTaskState(span, "waiting");
  }

  pauseRunningTasks(at: number): void {
    for (const span of this.newestTaskSpan.values()) {
      if (span.state === "running") this.pauseTask(span.taskKey ?? "", at);
    }
  }

  /** Ends an attempt: running spans are stopped and their tasks become pending again. */
  endAttempt(at: number): void {
    for (const id of this.tree.roots) {
      const span = this.tree.get(id);
      if (span?.state === "running") this.tree.closeAll(span, "stopped", at);
    }
    for (const span of this.newestTaskSpan.values()) {
      if (span.state === "stopped") this.setTaskState(span, "pending");
    }
    this.openSpans.clear();
  }

  /** Ends the run: open spans are stopped and pending tasks are skipped. */
  endRun(at: number, wasStopped: boolean): void {
    for (const span of this.tree.spans.values()) {
      if (isOpen(span)) this.tree.update(span, { state: "stopped", finishedAt: at });
    }
    for (const span of this.newestTaskSpan.values()) {
      const state = this.tasks.get(span.taskKey ?? "")?.state;
      if (span.state === "pending") this.tree.update(span, { state: "skipped" });
      if (state === "pending") this.setTaskState(span, "skipped");
      if (state === "running" || state === "waiting")
        this.setTaskState(span, wasStopped ? "skipped" : "failed");
    }
    this.openSpans.clear();
  }

  /** The event's agent span, else the innermost open span of its task, else the task span. */
  private parentIdOf(event: RunEvent): string | null {
    if (event.taskKey == null) return null;
    const open = this.openSpans.get(event.taskKey) ?? [];
    const parent =
      findAgentSpan(open, event.agent) ?? open.at(-1) ?? this.newestTaskSpan.get(event.taskKey);
    return parent?.id ?? null;
  }

  private currentTaskSpan({ taskKey, agent, seq }: RunEvent): MutableSpan {
    const key = taskKey ?? "";
    return this.newestTaskSpan.get(key) ?? this.taskSpanToStart(key, agent ?? null, seq);
  }

  /** The pending or waiting span of a task, or a new span if the task runs again. */
  taskSpanToStart(key: string, agent: string | null, seq: number): MutableSpan {
    const existing = this.newestTaskSpan.get(key);
    if (existing && (existing.state === "pending" || existing.state === "waiting")) return existing;
    if (existing) this.tree.closeAll(existing, "stopped", existing.startedAt ?? 0);
    const id = existing ? `task:${key}:${seq}` : `task:${key}`;
    return this.tree.getOrCreate({ kind: "task", name: key, taskKey: key, agent, id });
  }

  private endTask(
    event: RunEvent,
    span: MutableSpan,
    state: SpanState,
    result: Partial<MutableSpan>,
  ): void {
    const at = timeOf(event);
    for (const child of this.tree.childrenOf(span)) this.tree.closeAll(child, "stopped", at);
    // A skipped task has no times.
    const times = state === "skipped" ? {} : { startedAt: span.startedAt ?? at, finishedAt: at };
    const sequence = { startSeq: span.startSeq || event.seq, endSeq: event.seq };
    this.tree.update(span, { ...times, ...sequence, ...result, state, isTruncated: false });
    this.openSpans.delete(span.taskKey ?? "");
  }

  /** Removes a span and the spans inside it from the open spans, and ends them. */
  private closeFrom(open: MutableSpan[], span: MutableSpan, at: number): void {
    const index = open.indexOf(span);
    if (index >= 0) open.splice(index);
    this.tree.closeAll(span, "stopped", at);
  }

  private openSpansOf(taskKey: string | null | undefined): MutableSpan[] {
    const open = this.openSpans.get(taskKey ?? "") ?? [];
    this.openSpans.set(taskKey ?? "", open);
    return open;
  }

  setTaskState(span: MutableSpan, state: TaskState): void {
    const key = span.taskKey ?? "";
    this.newestTaskSpan.set(key, span);
    const { agent, startedAt, finishedAt, attempt, error, id } = span;
    const progress = { key, state, agent, startedAt, finishedAt, attempt, error, span: id };
    this.tasks = new Map(this.tasks).set(key, progress);
  }
}

function findAgentSpan(
  open: readonly MutableSpan[],
  agent: string | null | undefined,
): MutableSpan | undefined {
  return open.findLast((span) => span.kind === "agent" && span.agent === agent);
}
