import type { RunTask, TaskState } from "@/lib/api/types";

import type { SpanState } from "./span";
import type { SpanBuilder } from "./span-builder";

const SPAN_STATES: Record<TaskState, SpanState> = {
  pending: "pending",
  running: "running",
  waiting: "waiting",
  completed: "ok",
  reused: "reused",
  failed: "failed",
  interrupted: "stopped",
  skipped: "skipped",
};

/** Shows a task whose events were deleted as the API describes it. */
export function restoreTask(builder: SpanBuilder, task: RunTask): void {
  const span = builder.taskSpanToStart(task.key, task.agent, 0);
  builder.tree.update(span, {
    state: SPAN_STATES[task.status],
    startedAt: task.startedAt ? Date.parse(task.startedAt) : null,
    finishedAt: task.finishedAt ? Date.parse(task.finishedAt) : null,
    output: task.result?.raw ?? "",
    json: task.result?.jsonOutput ?? null,
    failure: task.error,
    error: task.error?.message ?? "",
  });
  builder.setTaskState(span, task.status);
}
