import type { RunTask } from "@/lib/api/types";

/** Milliseconds from a task's beginning to its end; null while it has no end, or none of its own. */
export function timeTaken(task: RunTask): number | null {
  if (!task.startedAt || !task.finishedAt) return null;
  return Math.max(0, Date.parse(task.finishedAt) - Date.parse(task.startedAt));
}

/** The key of the task whose output came last. */
export function newestDone(tasks: readonly RunTask[]): string | undefined {
  const done = tasks.filter((task) => task.result !== null);
  const times = done.map((task) => (task.finishedAt ? Date.parse(task.finishedAt) : 0));
  return done[times.lastIndexOf(Math.max(...times))]?.key;
}
