import type { RunEvent, RunFailure, RunState, RunTask, Usage } from "@/lib/api/types";

export type SpanKind =
  "task" | "agent" | "llm" | "tool" | "delegation" | "guardrail" | "message" | "approval" | "note";

export type SpanState =
  | "pending"
  | "running"
  | "waiting"
  | "ok"
  /** Result reused from an earlier attempt or from the run this one was forked from. */
  | "reused"
  | "failed"
  /** Failed, but a later try of the same step succeeded. */
  | "retried"
  /** Failed, but the step it belongs to succeeded. */
  | "recovered"
  | "skipped"
  /** A warning that did not stop anything. */
  | "warned"
  /** Ended by a stop, a crash or the end of an attempt. */
  | "stopped";

/**
 * One row of the timeline: a step with its start, end, input and output. Times are in milliseconds.
 */
export interface Span {
  readonly id: string;
  readonly kind: SpanKind;
  readonly parent: string | null;
  readonly children: readonly string[];
  /** Creation order within the run. */
  readonly order: number;
  readonly depth: number;
  readonly name: string;
  readonly state: SpanState;
  readonly taskKey: string | null;
  readonly agent: string | null;
  readonly attempt: number;
  /** Server time; null for a task that has not started. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** As measured by the server; null if it reports none. */
  readonly durationMs: number | null;
  readonly input: string;
  readonly output: string;
  /** Some text was streamed while the page was not connected and is missing from `output`. */
  readonly hasGap: boolean;
  /** `output` exceeds `MAX_TEXT_LENGTH`; event `endSeq` has the full text. */
  readonly isTruncated: boolean;
  readonly error: string;
  readonly failure: RunFailure | null;
  /** Structured output of a task, or arguments of a tool call. */
  readonly json: unknown;
  readonly toolCalls: readonly string[];
  /** Includes the usage of all descendants. */
  readonly usage: Usage;
  readonly startSeq: number;
  readonly endSeq: number | null;
  /** Short label such as "from cache" or "call 3, 4 messages". */
  readonly note: string;
}

export type MutableSpan = { -readonly [K in keyof Span]: Span[K] } & { children: string[] };

/** The first frame of a stream: the state of the run as of event `seq`. */
export interface RunSnapshot {
  type: "run.snapshot";
  seq: number;
  runId: string;
  at: string;
  data: {
    status: RunState;
    tasks: RunTask[];
    usage: Usage;
    /** When events up to then were deleted because of their age. */
    eventsDeletedAt?: string | null;
  };
}

export type StreamFrame = RunEvent | RunSnapshot;

export const MAX_TEXT_LENGTH = 256_000;

const FAILED: ReadonlySet<SpanState> = new Set(["failed", "retried", "recovered"]);
const OPEN: ReadonlySet<SpanState> = new Set(["running", "waiting"]);

/** True for a span that failed, even if it was retried or recovered. */
export function hasFailed(span: Pick<Span, "state">): boolean {
  return FAILED.has(span.state);
}

/** True for a span that has not ended. */
export function isOpen(span: Pick<Span, "state">): boolean {
  return OPEN.has(span.state);
}
