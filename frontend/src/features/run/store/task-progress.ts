import type { TaskState } from "@/lib/api/types";

/** Current progress of one task. Times are milliseconds of server time. */
export interface TaskProgress {
  readonly key: string;
  readonly state: TaskState;
  readonly agent: string | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** The run attempt in which the task last started. */
  readonly attempt: number;
  readonly error: string;
  /** Id of the task's newest span. */
  readonly span: string;
}

export interface PlannedTask {
  key: string;
  agent: string | null;
}
