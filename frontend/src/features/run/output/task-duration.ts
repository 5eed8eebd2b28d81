import type { RunTask } from "@/lib/api/types";

/** Milliseconds from start to finish; null if either is missing. */
export function taskDuration(task: RunTask): number | null {
  if (!task.startedAt || !task.finishedAt) return null;
  return Math.max(0, Date.parse(task.finishedAt) - Date.parse(task.startedAt));
}

/** The key of the task whose output was produced last. */
export function newestOutputTask(tasks: readonly RunTask[]): string | undefined {
  const finished = tasks.filter((task) => task.result !== null);
  const times = finished.map((task) => (task.finishedAt ? Date.parse(task.finishedAt) : 0));
  return finished[times.lastIndexOf(Math.max(...times))]?.key;
}
