import { TASK_LOOKS } from "@/components/lane-graph/task-state-styles";
import type { TaskState } from "@/lib/api/types";
import { cn } from "@/lib/cn";

/** A task's state by its icon; the word is beside it, or said to who cannot see the icon. */
export function TaskMark({ state }: { state: TaskState }) {
  const { word, Icon, text, spins } = TASK_LOOKS[state];
  return (
    <span className={cn("inline-flex", text)}>
      <Icon aria-hidden className={cn("size-4 shrink-0", spins && "animate-spin")} />
      <span className="sr-only">{word}</span>
    </span>
  );
}

/** What stands for a task's output while there is none. */
export function taskWord(state: TaskState): string {
  return TASK_LOOKS[state].word;
}
