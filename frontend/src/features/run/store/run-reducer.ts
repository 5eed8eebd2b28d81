import type { RunEvent, RunFailure, RunState, StopReceipt, Usage } from "@/lib/api/types";

import { addUsage, NO_USAGE } from "./add-usage";
import * as approvals from "./approval-spans";
import { describeBudgetEvent } from "./describe-budget-event";
import { restoreTask } from "./restore-task";
import { failedStep, timeOf, type EventOf } from "./run-event";
import type { MutableSpan, RunSnapshot, StreamFrame } from "./span";
import { SpanBuilder } from "./span-builder";
import * as steps from "./step-spans";
import type { PlannedTask } from "./task-progress";

type StoredEvent = Exclude<RunEvent, { type: "llm.chunk" }>;

/** Reduces a run's events to its state, spans, tasks and usage. Duplicate events are ignored. */
export class RunReducer {
  readonly builder: SpanBuilder;
  lastSeq = 0;
  receipt: StopReceipt | null = null;
  failure: RunFailure | null = null;
  /** How the run was asked to stop, while it is stopping. */
  stopMode: "now" | "after-step" | null = null;
  /** The hosts that the code of a project could not contact, and that can be allowed. */
  refusedHosts: readonly string[] = [];
  /** Each version increases with every event about messages, approvals, artifacts or budgets. */
  messageVersion = 0;
  approvalVersion = 0;
  artifactVersion = 0;
  budgetVersion = 0;
  /** Server clock minus local clock, in milliseconds. */
  clockOffset = 0;
  /** Run state according to the last event, ignoring the snapshot. */
  eventStatus: RunState;
  private eventUsage: Usage = NO_USAGE;
  private snapshot: RunSnapshot | null = null;
  /** The span of the lines printed just before, to which the next line is added. */
  private logSpan: MutableSpan | null = null;

  constructor(
    planned: readonly PlannedTask[] = [],
    status: RunState = "queued",
    maxSpans?: number,
  ) {
    this.builder = new SpanBuilder(planned, maxSpans);
    this.eventStatus = status;
  }

  /** The snapshot's status until the events have caught up with the snapshot. */
  get status(): RunState {
    return this.newerSnapshot?.data.status ?? this.eventStatus;
  }

  get usage(): Usage {
    return this.newerSnapshot?.data.usage ?? this.eventUsage;
  }

  private get newerSnapshot(): RunSnapshot | null {
    return this.snapshot && this.snapshot.seq > this.lastSeq ? this.snapshot : null;
  }

  /** Applies one frame; returns false if it changed nothing. */
  apply(frame: StreamFrame): boolean {
    if (frame.type === "run.snapshot") return this.applySnapshot(frame);
    if (frame.type === "llm.chunk") return this.applyChunk(frame);
    if (frame.seq <= this.lastSeq) return false;
    this.lastSeq = frame.seq;
    this.applyEvent(frame);
    // The events that are left do not add up to the usage of the run.
    const { snapshot } = this;
    if (snapshot?.data.eventsDeletedAt && snapshot.seq === frame.seq)
      this.eventUsage = snapshot.data.usage;
    return true;
  }

  private applySnapshot(snapshot: RunSnapshot): boolean {
    this.snapshot = snapshot;
    this.clockOffset = Date.parse(snapshot.at) - Date.now();
    this.restoreTasks(snapshot.data);
    const { tree } = this.builder;
    // Chunks sent while disconnected are not replayed; `llm.completed` carries the full text.
    for (const span of tree.spans.values()) {
      if (span.kind !== "llm" || span.state !== "running") continue;
      tree.update(span, { hasGap: true, output: span.output && `${span.output} […] ` });
    }
    return true;
  }

  /** Restores the tasks that ended before the events were deleted; later ones have events. */
  private restoreTasks({ tasks, eventsDeletedAt }: RunSnapshot["data"]): void {
    if (!eventsDeletedAt) return;
    const deletedUntil = Date.parse(eventsDeletedAt);
    for (const task of tasks) {
      const isOver = task.status !== "running" && task.status !== "waiting";
      const isKnown = (this.builder.tasks.get(task.key)?.state ?? "pending") !== "pending";
      if (!isOver || isKnown || Date.parse(task.finishedAt ?? "") > deletedUntil) continue;
      restoreTask(this.builder, task);
    }
  }

  private applyChunk({ data }: EventOf<"llm.chunk">): boolean {
    const { tree } = this.builder;
    const span = tree.get(`llm:${data.callId}`);
    if (span?.state !== "running" || span.isTruncated) return false;
    tree.update(span, { output: data.replaces ? data.text : span.output + data.text });
    return true;
  }

  private applyEvent(event: StoredEvent): void {
    const { builder, logSpan: previousLog } = this;
    this.logSpan = null;
    switch (event.type) {
      case "run.queued":
        this.eventStatus = "queued";
        this.receipt = this.failure = this.stopMode = null;
        return builder.endAttempt(timeOf(event));
      case "run.started":
      case "run.resumed":
        this.eventStatus = "running";
        builder.attempt = event.data.attempt;
        return builder.endAttempt(timeOf(event));
      case "run.waiting":
        this.eventStatus = "waiting";
        this.approvalVersion += 1;
        return event.data.reason === "budget"
          ? builder.pauseRunningTasks(timeOf(event))
          : undefined;
      case "run.stopping":
        this.eventStatus = "stopping";
        this.stopMode = event.data.mode;
        return;
      case "run.completed":
        return this.endRun("completed", event);
      case "run.failed":
        this.failure = event.data.error;
        return this.endRun("failed", event);
      case "run.crashed":
        this.failure = event.data.error;
        return this.endRun("crashed", event);
      case "run.stopped":
        this.receipt = event.data.receipt;
        return this.endRun("stopped", event);
      case "task.started":
        return builder.startTask(event);
      case "task.completed":
      case "task.reused":
        return builder.completeTask(event);
      case "task.failed":
        return builder.failTask(event);
      case "task.interrupted":
      case "task.skipped":
        return builder.abandonTask(event);
      case "agent.started":
        return builder.startAgent(event);
      case "agent.completed":
        return builder.endAgent(event, { state: "ok", output: event.data.output });
      case "agent.failed":
        return builder.endAgent(event, failedStep(event));
      case "delegation.started":
        return builder.startDelegation(event);
      case "delegation.completed":
      case "delegation.failed":
        return builder.endDelegation(event);
      case "llm.started":
        return steps.startLlmCall(builder, event, event.seq <= (this.snapshot?.seq ?? 0));
      case "llm.completed":
        this.eventUsage = addUsage(this.eventUsage, event.data.usage);
        return steps.completeLlmCall(builder, event);
      case "llm.failed":
        this.eventUsage = addUsage(this.eventUsage, event.data.usage ?? steps.ONE_LLM_CALL);
        return steps.failLlmCall(builder, event);
      case "tool.started":
        return steps.startToolCall(builder, event);
      case "tool.progress":
        return steps.addToolProgress(builder, event);
      case "tool.completed":
        this.eventUsage = addUsage(this.eventUsage, steps.ONE_TOOL_CALL);
        return steps.completeToolCall(builder, event);
      case "tool.failed":
        this.eventUsage = addUsage(this.eventUsage, steps.ONE_TOOL_CALL);
        return steps.failToolCall(builder, event);
      case "guardrail.passed":
      case "guardrail.failed":
        return steps.addGuardrail(builder, event);
      case "message.queued":
      case "message.delivered":
      case "message.answered":
      case "message.closed":
        this.messageVersion += 1;
        return steps.updateMessage(builder, event);
      case "approval.requested":
        this.approvalVersion += 1;
        return approvals.requestApproval(builder, event);
      case "approval.resolved":
      case "approval.expired":
      case "approval.cancelled":
        this.approvalVersion += 1;
        return approvals.endApproval(builder, event);
      case "budget.warned":
      case "budget.exceeded":
        this.budgetVersion += 1;
        return this.addWarning(event, describeBudgetEvent(event));
      case "log.line":
        this.logSpan = steps.addLogLine(builder, event, previousLog);
        return;
      case "warning.raised":
        this.noteRefusedHost(event.data.host);
        return this.addWarning(event, event.data.message);
      case "artifact.saved":
        this.artifactVersion += 1;
        steps.addPoint(builder, event, "note", `Saved ${event.data.name}`, { state: "ok" });
        return;
      default:
        return ignoreUnknownEvent(event);
    }
  }

  private addWarning(event: StoredEvent, message: string): void {
    steps.addPoint(this.builder, event, "note", message, { state: "warned" });
  }

  private noteRefusedHost(host: string | null | undefined): void {
    if (host && !this.refusedHosts.includes(host)) this.refusedHosts = [...this.refusedHosts, host];
  }

  private endRun(
    status: RunState,
    event: EventOf<"run.completed" | "run.failed" | "run.stopped" | "run.crashed">,
  ): void {
    this.eventStatus = status;
    this.stopMode = null;
    this.eventUsage = event.data.usage;
    this.builder.endRun(timeOf(event), status === "stopped");
  }
}

/**
 * A newer server may send event types this page does not know; the parameter type checks that ours
 * are handled.
 */
function ignoreUnknownEvent(event: never): void {
  void event;
}
