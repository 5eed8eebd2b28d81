import type { RunEvent, TaskState } from "@/lib/api/types";

import { isOpen, type Draft, type SpanState } from "./span";
import { SpanTree } from "./span-tree";
import type { PlannedTask, TaskView } from "./task-progress";

export type Of<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

export function timeOf(event: { at?: string }): number {
  return event.at ? Date.parse(event.at) : 0;
}

/** Who is at work where: tasks, and in each the agents and delegations that are open. */
export class Stage {
  readonly tree: SpanTree;
  tasks: ReadonlyMap<string, TaskView> = new Map();
  attempt = 1;
  /** The newest span of each task. */
  private readonly current = new Map<string, Draft>();
  /** Open agent and delegation spans of each task, the innermost last. */
  private readonly scenes = new Map<string, Draft[]>();

  constructor(planned: readonly PlannedTask[], most?: number) {
    this.tree = new SpanTree(most);
    for (const { key, agent } of planned) {
      const span = this.tree.begin({ ...taskRow(key, agent), id: `task:${key}`, state: "pending" });
      this.becomes(span, "pending");
    }
  }

  /** The span that an event belongs under: its agent's, else whatever is at work in its task. */
  parentOf(event: RunEvent): string | null {
    if (event.taskKey == null) return null;
    const scene = this.scenes.get(event.taskKey) ?? [];
    const own = scene.findLast((one) => one.kind === "agent" && one.agent === event.agent);
    return (own ?? scene.at(-1) ?? this.current.get(event.taskKey))?.id ?? null;
  }

  taskStarted(event: Of<"task.started">): void {
    const key = event.taskKey ?? "";
    const span = this.rowFor(key, event.agent ?? null, event.seq);
    this.tree.set(span, {
      state: "running",
      agent: event.agent ?? span.agent,
      attempt: this.attempt,
      startedAt: span.startedAt ?? timeOf(event),
      finishedAt: null,
      input: event.data.description,
      startSeq: span.startSeq || event.seq,
    });
    this.scenes.delete(key);
    this.becomes(span, "running");
  }

  /** The row of a task that begins: the planned or the waiting one, else a further one. */
  private rowFor(key: string, agent: string | null, seq: number): Draft {
    const known = this.current.get(key);
    if (known && (known.state === "pending" || known.state === "waiting")) return known;
    if (known) this.tree.closeAll(known, "stopped", known.startedAt ?? 0);
    return this.tree.begin({
      ...taskRow(key, agent),
      id: known ? `task:${key}:${seq}` : `task:${key}`,
    });
  }

  taskPassed(event: Of<"task.completed"> | Of<"task.reused">): void {
    const key = event.taskKey ?? "";
    const known = this.current.get(key);
    // Each further attempt tells again of what earlier ones have done.
    if (event.type === "task.reused" && (known?.state === "ok" || known?.state === "reused"))
      return;
    const span = known ?? this.rowFor(key, event.agent ?? null, event.seq);
    const afresh = event.type === "task.reused" && span.state !== "waiting";
    const { raw, jsonOutput } = event.data;
    const brought = { output: raw, json: jsonOutput ?? null, agent: event.agent ?? span.agent };
    this.endTask(event, span, afresh ? "reused" : "ok", brought);
    this.becomes(span, event.type === "task.reused" ? "reused" : "completed");
    this.tree.forgive(span);
    this.tree.outdo(span);
  }

  taskFailed(event: Of<"task.failed">): void {
    const key = event.taskKey ?? "";
    const span = this.current.get(key) ?? this.rowFor(key, event.agent ?? null, event.seq);
    const failure = event.data.error;
    this.endTask(event, span, "failed", { failure, error: failure.message });
    this.becomes(span, "failed");
  }

  taskSkipped(event: Of<"task.skipped">): void {
    const key = event.taskKey ?? "";
    const span = this.current.get(key) ?? this.rowFor(key, event.agent ?? null, event.seq);
    this.endTask(event, span, "skipped", {});
    this.becomes(span, "skipped");
  }

  private endTask(event: RunEvent, span: Draft, state: SpanState, brought: Partial<Draft>): void {
    const at = timeOf(event);
    for (const child of this.tree.childrenOf(span)) this.tree.closeAll(child, "stopped", at);
    // What was skipped has neither a beginning nor an end.
    const times = state === "skipped" ? {} : { startedAt: span.startedAt ?? at, finishedAt: at };
    const numbers = { startSeq: span.startSeq || event.seq, endSeq: event.seq };
    this.tree.set(span, { ...times, ...numbers, ...brought, state, cut: false });
    this.scenes.delete(span.taskKey ?? "");
  }

  agentStarted(event: Of<"agent.started">): void {
    const scene = this.sceneOf(event.taskKey);
    const before = scene.findLast((one) => one.kind === "agent" && one.agent === event.agent);
    if (before) this.leave(scene, before, timeOf(event));
    const parent = scene.at(-1) ?? this.current.get(event.taskKey ?? "");
    const span = this.tree.begin({
      ...this.place(event),
      id: `agent:${event.seq}`,
      kind: "agent",
      name: event.agent ?? "Agent",
      parent: parent?.id ?? null,
      toolCalls: event.data.tools ?? [],
    });
    scene.push(span);
  }

  agentEnds(
    event: Of<"agent.completed"> | Of<"agent.failed">,
    change: { state: SpanState; output?: string; error?: string },
  ): void {
    const scene = this.sceneOf(event.taskKey);
    const span = scene.findLast((one) => one.kind === "agent" && one.agent === event.agent);
    if (!span) return;
    this.tree.set(span, { ...change, finishedAt: timeOf(event), endSeq: event.seq });
    this.leave(scene, span, timeOf(event));
    if (change.state === "ok") this.tree.outdo(span);
  }

  delegationStarted(event: Of<"delegation.started">): void {
    const span = this.tree.begin({
      ...this.place(event),
      id: `delegation:${event.data.toolCallId}`,
      kind: "delegation",
      name: `Asks ${event.data.to}`,
      input: event.data.request,
      subject: event.data.toolCallId,
    });
    this.sceneOf(event.taskKey).push(span);
  }

  delegationCompleted(event: Of<"delegation.completed">): void {
    const span = this.tree.get(`delegation:${event.data.toolCallId}`);
    if (!span) return;
    const { output } = event.data;
    this.tree.set(span, { state: "ok", output, finishedAt: timeOf(event), endSeq: event.seq });
    this.leave(this.sceneOf(event.taskKey), span, timeOf(event));
  }

  /** Where and when an event's span stands. */
  place(event: RunEvent) {
    return {
      parent: this.parentOf(event),
      taskKey: event.taskKey ?? null,
      agent: event.agent ?? null,
      attempt: this.attempt,
      startedAt: timeOf(event),
      startSeq: event.seq,
    };
  }

  /** The task of a question waits for its answer. */
  taskWaits(key: string, at: number): void {
    const span = this.current.get(key);
    if (!span) return;
    for (const child of this.tree.childrenOf(span)) {
      if (child.state !== "waiting") this.tree.closeAll(child, "stopped", at);
    }
    this.scenes.delete(key);
    this.tree.set(span, { state: "waiting" });
    this.becomes(span, "waiting");
  }

  /** Every task at work waits, e.g. for a larger budget. */
  allWait(at: number): void {
    for (const span of this.current.values()) {
      if (span.state === "running") this.taskWaits(span.taskKey ?? "", at);
    }
  }

  /** An attempt is over before its work was: what ran was cut off and is to be done again. */
  attemptOver(at: number): void {
    for (const id of this.tree.roots) this.cutOff(id, at);
    for (const span of this.current.values()) {
      if (span.state === "stopped") this.becomes(span, "pending");
    }
    this.scenes.clear();
  }

  private cutOff(id: string, at: number): void {
    const span = this.tree.get(id);
    if (span?.state === "running") this.tree.closeAll(span, "stopped", at);
  }

  /** The run is over: nothing is open any more, and what has not begun never will. */
  runOver(at: number, stopped: boolean): void {
    for (const span of this.tree.spans.values()) {
      if (isOpen(span)) this.tree.set(span, { state: "stopped", finishedAt: at });
    }
    for (const span of this.current.values()) {
      const was = this.tasks.get(span.taskKey ?? "")?.state;
      if (span.state === "pending") this.tree.set(span, { state: "skipped" });
      if (was === "pending") this.becomes(span, "skipped");
      if (was === "running" || was === "waiting")
        this.becomes(span, stopped ? "skipped" : "failed");
    }
    this.scenes.clear();
  }

  private leave(scene: Draft[], span: Draft, at: number): void {
    const from = scene.indexOf(span);
    if (from >= 0) scene.splice(from);
    this.tree.closeAll(span, "stopped", at);
  }

  private sceneOf(key: string | null | undefined): Draft[] {
    const known = this.scenes.get(key ?? "");
    if (known) return known;
    const fresh: Draft[] = [];
    this.scenes.set(key ?? "", fresh);
    return fresh;
  }

  private becomes(span: Draft, state: TaskState): void {
    const key = span.taskKey ?? "";
    this.current.set(key, span);
    const { agent, startedAt, finishedAt, attempt, error, id } = span;
    const view = { key, state, agent, startedAt, finishedAt, attempt, error, span: id };
    this.tasks = new Map(this.tasks).set(key, view);
  }
}

function taskRow(key: string, agent: string | null) {
  return { kind: "task" as const, name: key, taskKey: key, agent };
}
