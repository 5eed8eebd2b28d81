import type { RunFailure, RunState, StopReceipt, Usage } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";
import type { StreamState } from "@/lib/sse/event-stream";

import type { Frame, Span } from "./span";
import type { PlannedTask, TaskView } from "./task-progress";
import { Story } from "./run-reducer";

/** The stream's own states, and those of a run whose story is only read. */
export type Connection = StreamState | "idle" | "loading" | "failed";

/** What is known of a run at one moment. A new object whenever any of it has changed. */
export interface RunNow {
  readonly status: RunState;
  readonly tasks: ReadonlyMap<string, TaskView>;
  /** Live totals of the run. */
  readonly usage: Usage;
  readonly receipt: StopReceipt | null;
  readonly failure: RunFailure | null;
  /** How the run is asked to stop, while it is stopping. */
  readonly stopping: "now" | "after-step" | null;
  /** Each counts up when something is said of a message, an approval, a file or a budget. */
  readonly messages: number;
  readonly approvals: number;
  readonly artifacts: number;
  readonly budget: number;
  readonly connection: Connection;
  /** Why the story could not be read, while `connection` is `failed`. */
  readonly problem: unknown;
  /** True once everything up to now has been read. */
  readonly complete: boolean;
  /** Changes when spans come, go or change state: what lists of them depend on. */
  readonly structure: number;
  /** How many of the oldest spans are no longer kept. */
  readonly cut: number;
  readonly lastSeq: number;
  /** How far the server's clock is ahead of this one, in milliseconds. */
  readonly skew: number;
}

export interface RunStoreOptions {
  status?: RunState;
  tasks?: readonly PlannedTask[];
  /** The newest event's number when the run was asked for. */
  lastSeq?: number;
  /** At most so many spans are kept. */
  most?: number;
}

/**
 * One run as it happens, outside React. Frames go in as they come; readers are told at most once a frame
 * of the screen, each of the spans it looks at.
 */
export class RunStore {
  readonly runId: string;
  private readonly story: Story;
  private now: RunNow;
  private readonly shown = new Map<string, Span>();
  private shownRoots: readonly string[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly spanListeners = new Map<string, Set<() => void>>();
  private connection: Connection = "idle";
  private problem: unknown = null;
  private target: number;
  private pending: (() => void) | null = null;

  constructor(runId: string, options: RunStoreOptions = {}) {
    this.runId = runId;
    this.story = new Story(options.tasks, options.status, options.most);
    this.target = options.lastSeq ?? 0;
    this.now = this.look();
    this.publishSpans();
  }

  /** The state of the run; the same object until something changes. */
  readonly getNow = (): RunNow => this.now;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** One span; the same object until it changes. */
  readonly getSpan = (id: string): Span | undefined => this.shown.get(id);

  readonly subscribeSpan = (id: string, listener: () => void): (() => void) => {
    const set = this.spanListeners.get(id) ?? new Set();
    this.spanListeners.set(id, set.add(listener));
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.spanListeners.get(id) === set) this.spanListeners.delete(id);
    };
  };

  get roots(): readonly string[] {
    return this.shownRoots;
  }

  /** Every span that is kept, in no order that matters. */
  spans(): Iterable<Span> {
    return this.shown.values();
  }

  /** The number of the last event taken in: where a new connection begins. */
  get lastSeq(): number {
    return this.story.lastSeq;
  }

  /** True when the run's last event is known here, and no later one is known of. */
  get isOver(): boolean {
    return hasEnded(this.story.told) && this.story.lastSeq >= this.target;
  }

  /** Takes frames in; what is known already is dropped. */
  take(frames: Iterable<Frame>): void {
    let news = false;
    for (const frame of frames) {
      if (frame.type === "run.snapshot") this.target = Math.max(this.target, frame.seq);
      news = this.story.read(frame) || news;
    }
    if (news) this.schedule();
  }

  connectionBecomes(connection: Connection, problem: unknown = null): void {
    if (connection === this.connection && problem === this.problem) return;
    this.connection = connection;
    this.problem = problem;
    this.schedule();
  }

  /** Shows at once what has come in. */
  readonly flush = (): void => {
    this.pending?.();
    this.pending = null;
    this.story.stage.tree.trim();
    const changed = this.publishSpans();
    this.now = this.look();
    for (const id of changed) for (const tell of this.spanListeners.get(id) ?? []) tell();
    for (const tell of this.listeners) tell();
  };

  private schedule(): void {
    if (this.pending) return;
    // A hidden page is drawn no frames; its title and icon still tell the state.
    if (document.hidden) {
      const timer = setTimeout(this.flush, 250);
      this.pending = () => clearTimeout(timer);
      return;
    }
    const frame = requestAnimationFrame(this.flush);
    this.pending = () => cancelAnimationFrame(frame);
  }

  private publishSpans(): readonly string[] {
    const { tree } = this.story.stage;
    const changed = [...tree.dirty];
    tree.dirty.clear();
    for (const id of changed) {
      const draft = tree.get(id);
      if (draft) this.shown.set(id, { ...draft, children: [...draft.children] });
    }
    if (this.shown.size > tree.spans.size) this.forgetTrimmed();
    if (this.shownRoots.length !== tree.roots.length || changed.length > 0) {
      this.shownRoots = [...tree.roots];
    }
    return changed;
  }

  private forgetTrimmed(): void {
    const { tree } = this.story.stage;
    for (const id of this.shown.keys()) if (!tree.spans.has(id)) this.shown.delete(id);
  }

  private look(): RunNow {
    const { story, connection } = this;
    const { tree } = story.stage;
    return {
      status: story.status,
      tasks: story.stage.tasks,
      usage: story.usage,
      receipt: story.receipt,
      failure: story.failure,
      stopping: story.stopping,
      messages: story.messages,
      approvals: story.approvals,
      artifacts: story.artifacts,
      budget: story.budget,
      connection,
      problem: this.problem,
      complete: story.lastSeq >= this.target && connection !== "idle",
      structure: tree.structure,
      cut: tree.cut,
      lastSeq: story.lastSeq,
      skew: story.skew,
    };
  }
}
