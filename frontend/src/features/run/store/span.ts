import type { RunEvent, RunFailure, RunState, RunTask, Usage } from "@/lib/api/types";

export type SpanKind =
  "task" | "agent" | "llm" | "tool" | "delegation" | "guardrail" | "message" | "approval" | "note";

export type SpanState =
  | "pending"
  | "running"
  | "waiting"
  | "ok"
  /** Taken over from an earlier attempt or from the run it was forked from. */
  | "reused"
  | "failed"
  /** Failed, and the same thing passed when it was tried again. */
  | "retried"
  /** Failed, and what it was part of passed all the same. */
  | "recovered"
  | "skipped"
  /** Something to know of that stopped nothing. */
  | "warned"
  /** Cut off by a stop, a crash or the end of an attempt. */
  | "stopped";

/** One row of a run's story: a stretch of time with a beginning, an end and what it brought. */
export interface Span {
  readonly id: string;
  readonly kind: SpanKind;
  readonly parent: string | null;
  readonly children: readonly string[];
  /** Position in the order of telling. */
  readonly order: number;
  readonly depth: number;
  readonly name: string;
  readonly state: SpanState;
  readonly taskKey: string | null;
  readonly agent: string | null;
  readonly attempt: number;
  /** Milliseconds of the server's clock; null for a task that has not begun. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** As measured by the server where it says so; else the distance of the two times. */
  readonly durationMs: number | null;
  readonly input: string;
  readonly output: string;
  /** Text that was streamed before it was seen here is missing at the front or in the middle. */
  readonly gap: boolean;
  /** The output was longer than what is kept; the whole is fetched by `endSeq`. */
  readonly cut: boolean;
  readonly error: string;
  readonly failure: RunFailure | null;
  /** Structured output of a task, arguments of a tool. */
  readonly json: unknown;
  readonly toolCalls: readonly string[];
  readonly model: string | null;
  /** Of this span and of everything below it. */
  readonly usage: Usage;
  readonly startSeq: number;
  readonly endSeq: number | null;
  /** A few words beside the name: "from cache", "call 3, 4 messages". */
  readonly note: string;
  /** Message, approval, call or tool-call id. */
  readonly subject: string;
}

export type Draft = { -readonly [K in keyof Span]: Span[K] } & { children: string[] };

/** The first frame of a stream: the state so far, as of event `seq`. */
export interface RunSnapshot {
  type: "run.snapshot";
  seq: number;
  runId: string;
  at: string;
  data: {
    status: RunState;
    tasks: RunTask[];
    usage: Usage;
  };
}

export type Frame = RunEvent | RunSnapshot;

export const LONGEST_TEXT = 256_000;

const FAILED: ReadonlySet<SpanState> = new Set(["failed", "retried", "recovered"]);
const OPEN: ReadonlySet<SpanState> = new Set(["running", "waiting"]);

/** True for what went wrong, mended or not. */
export function wentWrong(span: Pick<Span, "state">): boolean {
  return FAILED.has(span.state);
}

/** True for what is still under way. */
export function isOpen(span: Pick<Span, "state">): boolean {
  return OPEN.has(span.state);
}
