import type { RunEvent, RunFailure, RunState, StopReceipt, Usage } from "@/lib/api/types";

import type { Frame, RunSnapshot } from "./span";
import { Stage, timeOf, type Of } from "./span-builder";
import type { PlannedTask } from "./task-progress";
import * as steps from "./step-spans";
import { NO_USAGE, plus } from "./add-usage";

type Told = Exclude<RunEvent, { type: "llm.chunk" }>;

/** Reads a run's events, in order and each once, into spans, tasks and figures. */
export class Story {
  readonly stage: Stage;
  lastSeq = 0;
  receipt: StopReceipt | null = null;
  failure: RunFailure | null = null;
  /** Set while the run is asked to stop: how. */
  stopping: "now" | "after-step" | null = null;
  /** Each counts up whenever something is said of a message, an approval, a file, a budget. */
  messages = 0;
  approvals = 0;
  artifacts = 0;
  budget = 0;
  /** How far the server's clock is ahead of this one, in milliseconds. */
  skew = 0;
  /** Counts up with each frame that changed something. */
  version = 0;
  /** The state by the last event that was read. */
  told: RunState;
  private spent: Usage = NO_USAGE;
  private snapshot: RunSnapshot | null = null;

  constructor(planned: readonly PlannedTask[] = [], status: RunState = "queued", most?: number) {
    this.stage = new Stage(planned, most);
    this.told = status;
  }

  /** The server's word until everything before it has been read here. */
  get status(): RunState {
    return this.ahead?.data.status ?? this.told;
  }

  get usage(): Usage {
    return this.ahead?.data.usage ?? this.spent;
  }

  private get ahead(): RunSnapshot | null {
    return this.snapshot && this.snapshot.seq > this.lastSeq ? this.snapshot : null;
  }

  /** Reads one frame; false when it was known already. */
  read(frame: Frame): boolean {
    const news = this.take(frame);
    if (news) this.version += 1;
    return news;
  }

  private take(frame: Frame): boolean {
    if (frame.type === "run.snapshot") return this.takeSnapshot(frame);
    if (frame.type === "llm.chunk") return this.takeChunk(frame);
    if (frame.seq <= this.lastSeq) return false;
    this.lastSeq = frame.seq;
    this.apply(frame);
    return true;
  }

  private takeSnapshot(snapshot: RunSnapshot): boolean {
    this.snapshot = snapshot;
    this.skew = Date.parse(snapshot.at) - Date.now();
    const { tree } = this.stage;
    // Text streamed while nobody listened is not told again; the end of the call brings the whole.
    for (const span of tree.spans.values()) {
      if (span.kind !== "llm" || span.state !== "running") continue;
      tree.set(span, { gap: true, output: span.output && `${span.output} […] ` });
    }
    return true;
  }

  private takeChunk({ data }: Of<"llm.chunk">): boolean {
    const span = this.stage.tree.get(`llm:${data.callId}`);
    if (span?.state !== "running" || span.cut) return false;
    this.stage.tree.set(span, { output: span.output + data.text });
    return true;
  }

  private apply(event: Told): void {
    const { stage } = this;
    switch (event.type) {
      case "run.queued":
        this.told = "queued";
        this.receipt = this.failure = this.stopping = null;
        return stage.attemptOver(timeOf(event));
      case "run.started":
      case "run.resumed":
        this.told = "running";
        stage.attempt = event.data.attempt;
        return stage.attemptOver(timeOf(event));
      case "run.waiting":
        this.told = "waiting";
        this.approvals += 1;
        return event.data.reason === "budget" ? stage.allWait(timeOf(event)) : undefined;
      case "run.stopping":
        this.told = "stopping";
        this.stopping = event.data.mode;
        return;
      case "run.completed":
        return this.over("completed", event);
      case "run.failed":
        this.failure = event.data.error;
        return this.over("failed", event);
      case "run.crashed":
        this.failure = event.data.error;
        return this.over("crashed", event);
      case "run.stopped":
        this.receipt = event.data.receipt;
        return this.over("stopped", event);
      case "task.started":
        return stage.taskStarted(event);
      case "task.completed":
      case "task.reused":
        return stage.taskPassed(event);
      case "task.failed":
        return stage.taskFailed(event);
      case "task.skipped":
        return stage.taskSkipped(event);
      case "agent.started":
        return stage.agentStarted(event);
      case "agent.completed":
        return stage.agentEnds(event, { state: "ok", output: event.data.output });
      case "agent.failed":
        return stage.agentEnds(event, { state: "failed", error: event.data.message });
      case "delegation.started":
        return stage.delegationStarted(event);
      case "delegation.completed":
        return stage.delegationCompleted(event);
      case "llm.started":
        return steps.callStarted(stage, event, event.seq <= (this.snapshot?.seq ?? 0));
      case "llm.completed":
        this.spent = plus(this.spent, event.data.usage);
        return steps.callCompleted(stage, event);
      case "llm.failed":
        this.spent = { ...this.spent, llmCalls: this.spent.llmCalls + 1 };
        return steps.callFailed(stage, event);
      case "tool.started":
        return steps.toolStarted(stage, event);
      case "tool.completed":
        this.spent = plus(this.spent, steps.ONE_TOOL);
        return steps.toolCompleted(stage, event);
      case "tool.failed":
        this.spent = plus(this.spent, steps.ONE_TOOL);
        return steps.toolFailed(stage, event);
      case "guardrail.passed":
      case "guardrail.failed":
        return steps.guardrail(stage, event);
      case "message.queued":
      case "message.delivered":
      case "message.answered":
        this.messages += 1;
        return steps.message(stage, event);
      case "approval.requested":
        this.approvals += 1;
        return steps.approvalRequested(stage, event);
      case "approval.resolved":
      case "approval.expired":
        this.approvals += 1;
        return steps.approvalEnds(stage, event);
      case "budget.warned":
      case "budget.exceeded":
        this.budget += 1;
        return this.warn(event, budgetWords(event));
      case "warning.raised":
        return this.warn(event, event.data.message);
      case "artifact.saved":
        this.artifacts += 1;
        steps.point(stage, event, "note", `Saved ${event.data.name}`, { state: "ok" });
        return;
      default:
        return unheardOf(event);
    }
  }

  private warn(event: Told, words: string): void {
    steps.point(this.stage, event, "note", words, { state: "warned" });
  }

  private over(
    status: RunState,
    event: Of<"run.completed"> | Of<"run.failed"> | Of<"run.stopped"> | Of<"run.crashed">,
  ): void {
    this.told = status;
    this.stopping = null;
    this.spent = event.data.usage;
    this.stage.runOver(timeOf(event), status === "stopped");
  }
}

const LIMITS: Record<string, string> = {
  maxCost: "cost",
  maxTokens: "tokens",
  maxLlmCalls: "model calls",
  maxSeconds: "time",
};

function budgetWords(event: Of<"budget.warned"> | Of<"budget.exceeded">): string {
  const limit = LIMITS[event.data.limit] ?? event.data.limit;
  return event.type === "budget.exceeded"
    ? `The budget for ${limit} is used up`
    : `The budget for ${limit} is nearly used up`;
}

/** A newer server may tell what this page does not know; the types say that ours does not. */
function unheardOf(event: never): void {
  void event;
}
