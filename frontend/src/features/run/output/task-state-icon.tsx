import { TASK_STATE_STYLES } from "@/components/lane-graph/task-state-styles";
import type { TaskState } from "@/lib/api/types";
import { cn } from "@/lib/cn";

/** The icon of a task's state, with a label for screen readers. */
export function TaskStateIcon({ state }: { state: TaskState }) {
  const { label, Icon, text, spins } = TASK_STATE_STYLES[state];
  return (
    <span className={cn("inline-flex", text)}>
      <Icon aria-hidden className={cn("size-4 shrink-0", spins && "animate-spin")} />
      <span className="sr-only">{label}</span>
    </span>
  );
}
