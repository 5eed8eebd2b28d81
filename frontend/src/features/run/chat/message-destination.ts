import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import type { TaskProgress } from "../store/task-progress";

type RunStatus = Pick<Run, "status" | "waitReason" | "projectId">;
type TaskStatus = Pick<TaskProgress, "key" | "agent" | "state">;

/**
 * Explains what happens to a message that is sent now. `agent` is its recipient, null for any
 * agent.
 */
export function messageDestination(
  run: RunStatus,
  tasks: readonly TaskStatus[],
  agent: string | null,
): string {
  if (hasEnded(run.status)) return "The run has ended: a model answers from its result.";
  if (run.projectId !== null) return projectDestination(run);
  if (run.status === "queued") {
    return `The run has not started: the message is queued for ${agent ?? "the first agent"}.`;
  }
  if (run.status === "waiting") {
    return isFeedback(run)
      ? feedbackDestination(tasks)
      : `The run is waiting for budget: the message is queued for ${agent ?? "the next agent"}.`;
  }
  if (run.status === "stopping") return "The run is stopping: no agent will read the message.";
  return activeDestination(tasks, agent);
}

/** True if a message is used as feedback on the open approval request. */
export function isFeedback(run: Pick<Run, "status" | "waitReason">): boolean {
  return run.status === "waiting" && run.waitReason === "human-input";
}

function projectDestination(run: RunStatus): string {
  return isFeedback(run)
    ? "The project asks: the message is the answer, or feedback on the output to review."
    : "The code of a project receives no messages: a model answers from what the run has stored.";
}

function feedbackDestination(tasks: readonly TaskStatus[]): string {
  const task = tasks.find(({ state }) => state === "waiting");
  const recipient = task
    ? `to ${task.agent ?? "its agent"} as feedback on ${task.key}`
    : "as feedback";
  return `The run is waiting for approval: the message sends the output back ${recipient}.`;
}

function activeDestination(tasks: readonly TaskStatus[], agent: string | null): string {
  const running = tasks
    .filter((task) => task.state === "running")
    .flatMap((task) => task.agent ?? []);
  if (agent !== null && running.length > 0 && !running.includes(agent)) {
    return `${agent} is not running: the message is queued until it is.`;
  }
  const reader = agent ?? running[0] ?? "The agent";
  return `${reader} is running and reads the message in its next model call.`;
}
