import { createStore, type StoreApi } from "zustand";

import type { RunFailure, RunState, StopReceipt, Usage } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";
import type { StreamState } from "@/lib/sse/event-stream";

import { RunReducer } from "./run-reducer";
import type { RunSnapshot, Span, StreamFrame } from "./span";
import type { PlannedTask, TaskProgress } from "./task-progress";

/** The states of the event stream, and those of a run whose events are loaded page by page. */
export type Connection = StreamState | "idle" | "loading" | "failed";

export interface RunStoreState {
  readonly status: RunState;
  readonly tasks: ReadonlyMap<string, TaskProgress>;
  /** Totals of the run so far. */
  readonly usage: Usage;
  readonly receipt: StopReceipt | null;
  readonly failure: RunFailure | null;
  /** How the run was asked to stop, while it is stopping. */
  readonly stopMode: "now" | "after-step" | null;
  /** The hosts that the code of a project could not contact, and that can be allowed. */
  readonly refusedHosts: readonly string[];
  /** Each version increases with every event about messages, approvals, artifacts or budgets. */
  readonly messageVersion: number;
  readonly approvalVersion: number;
  readonly artifactVersion: number;
  readonly budgetVersion: number;
  readonly connection: Connection;
  /** Why loading failed, while `connection` is `failed`. */
  readonly loadError: unknown;
  /** True once all events known to exist have been applied. */
  readonly isComplete: boolean;
  /** Increases when spans are added, removed or change state. */
  readonly structureVersion: number;
  /** Number of oldest spans that were removed to limit memory. */
  readonly droppedSpans: number;
  readonly lastSeq: number;
  /** Server clock minus local clock, in milliseconds. */
  readonly clockOffset: number;
}

export interface RunStoreOptions {
  status?: RunState;
  tasks?: readonly PlannedTask[];
  /** The last event number when the run was fetched. */
  lastSeq?: number;
  maxSpans?: number;
}

/**
 * The live state of one run; read it with `useStore(store.state, …)` and `useSpan`.
 *
 * Events can arrive in bursts of thousands. They are applied to mutable spans at once, and published as
 * immutable state at most once per animation frame; copying the state for every event would block the page.
 */
export class RunStore {
  readonly runId: string;
  readonly state: StoreApi<RunStoreState>;
  private readonly reducer: RunReducer;
  private readonly publishedSpans = new Map<string, Span>();
  private publishedRoots: readonly string[] = [];
  private connection: Connection = "idle";
  private loadError: unknown = null;
  private targetSeq: number;
  private cancelFlush: (() => void) | null = null;

  constructor(runId: string, options: RunStoreOptions = {}) {
    this.runId = runId;
    this.reducer = new RunReducer(options.tasks, options.status, options.maxSpans);
    this.targetSeq = options.lastSeq ?? 0;
    this.publishSpans();
    this.state = createStore(() => this.buildState());
  }

  /** The same object until the span changes. */
  readonly getSpan = (id: string): Span | undefined => this.publishedSpans.get(id);

  /** Ids of the top-level spans. */
  get roots(): readonly string[] {
    return this.publishedRoots;
  }

  /** All spans, in no particular order. */
  spans(): Iterable<Span> {
    return this.publishedSpans.values();
  }

  /** Number of the last applied event. */
  get lastSeq(): number {
    return this.reducer.lastSeq;
  }

  /** True when the run's final event was applied and no later event is known to exist. */
  get hasEnded(): boolean {
    return hasEnded(this.reducer.eventStatus) && this.reducer.lastSeq >= this.targetSeq;
  }

  /** Applies frames; events that were applied before are ignored. */
  apply(frames: Iterable<StreamFrame>): void {
    let hasChanged = false;
    for (const frame of frames) {
      if (frame.type === "run.snapshot") this.targetSeq = this.targetOf(frame);
      hasChanged = this.reducer.apply(frame) || hasChanged;
    }
    if (hasChanged) this.scheduleFlush();
  }

  /** The last event to wait for. The newest events of an ended run may be deleted: then none. */
  private targetOf({ seq, data }: RunSnapshot): number {
    const isLastDeleted = Boolean(data.eventsDeletedAt) && hasEnded(data.status);
    return isLastDeleted ? 0 : Math.max(this.targetSeq, seq);
  }

  setConnection(connection: Connection, loadError: unknown = null): void {
    if (connection === this.connection && loadError === this.loadError) return;
    this.connection = connection;
    this.loadError = loadError;
    this.scheduleFlush();
  }

  /** Publishes all applied changes now. */
  readonly flush = (): void => {
    this.cancelFlush?.();
    this.cancelFlush = null;
    this.reducer.builder.tree.trim();
    this.publishSpans();
    this.state.setState(this.buildState(), true);
  };

  private scheduleFlush(): void {
    if (this.cancelFlush) return;
    // Hidden pages get no animation frames, but their title and icon still show the status.
    if (document.hidden) {
      const timer = setTimeout(this.flush, 250);
      this.cancelFlush = () => clearTimeout(timer);
      return;
    }
    const frame = requestAnimationFrame(this.flush);
    this.cancelFlush = () => cancelAnimationFrame(frame);
  }

  private publishSpans(): void {
    const { tree } = this.reducer.builder;
    if (tree.dirty.size > 0 || this.publishedRoots.length !== tree.roots.length) {
      this.publishedRoots = [...tree.roots];
    }
    for (const id of tree.dirty) {
      const span = tree.get(id);
      if (span) this.publishedSpans.set(id, { ...span, children: [...span.children] });
    }
    tree.dirty.clear();
    if (this.publishedSpans.size > tree.spans.size) {
      for (const id of this.publishedSpans.keys()) {
        if (!tree.spans.has(id)) this.publishedSpans.delete(id);
      }
    }
  }

  private buildState(): RunStoreState {
    const { reducer, connection, loadError } = this;
    const { tasks, tree } = reducer.builder;
    return {
      status: reducer.status,
      tasks,
      usage: reducer.usage,
      receipt: reducer.receipt,
      failure: reducer.failure,
      stopMode: reducer.stopMode,
      refusedHosts: reducer.refusedHosts,
      messageVersion: reducer.messageVersion,
      approvalVersion: reducer.approvalVersion,
      artifactVersion: reducer.artifactVersion,
      budgetVersion: reducer.budgetVersion,
      connection,
      loadError,
      isComplete: reducer.lastSeq >= this.targetSeq && connection !== "idle",
      structureVersion: tree.structureVersion,
      droppedSpans: tree.droppedSpans,
      lastSeq: reducer.lastSeq,
      clockOffset: reducer.clockOffset,
    };
  }
}
