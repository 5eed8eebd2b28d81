import type { TaskState } from "@/lib/api/types";

/** What is known of one task now; `span` is the newest of its rows. */
export interface TaskView {
  readonly key: string;
  readonly state: TaskState;
  readonly agent: string | null;
  /** Milliseconds of the server's clock. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** The attempt of the run in which it began last. */
  readonly attempt: number;
  readonly error: string;
  readonly span: string;
}

export interface PlannedTask {
  key: string;
  agent: string | null;
}
