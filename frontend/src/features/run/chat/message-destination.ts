import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import type { TaskView } from "../store/task-progress";

type Standing = Pick<Run, "status" | "waitReason">;
type Place = Pick<TaskView, "key" | "agent" | "state">;

/** Where a message would go that is sent now, in words. */
export function destination(run: Standing, tasks: readonly Place[], agent: string | null): string {
  if (hasEnded(run.status)) {
    return "The run is over: a model answers from what it brought.";
  }
  if (run.status === "queued") {
    return `The run has not begun: the message is queued for ${agent ?? "the first agent at work"}.`;
  }
  if (run.status === "waiting") return whileWaiting(run, tasks, agent);
  if (run.status === "stopping") {
    return "The run is stopping: no agent will read the message any more.";
  }
  return whileRunning(tasks, agent);
}

/** True when the message is taken as feedback on the question that the run asks. */
export function becomesFeedback(run: Standing): boolean {
  return run.status === "waiting" && run.waitReason === "human-input";
}

function whileWaiting(run: Standing, tasks: readonly Place[], agent: string | null): string {
  if (!becomesFeedback(run)) {
    return `The run waits for its budget: the message is queued for ${agent ?? "whoever goes on"}.`;
  }
  const asked = tasks.find((task) => task.state === "waiting");
  const to = asked ? `to ${asked.agent ?? "its agent"} as feedback on ${asked.key}` : "as feedback";
  return `The run waits for an answer: the message sends its output back ${to}.`;
}

function whileRunning(tasks: readonly Place[], agent: string | null): string {
  const atWork = tasks
    .filter((task) => task.state === "running")
    .flatMap((task) => task.agent ?? []);
  if (agent !== null && atWork.length > 0 && !atWork.includes(agent)) {
    return `${agent} is not at work now: the message is queued until it is.`;
  }
  const reader = agent ?? atWork[0] ?? "The agent";
  return `${reader} is at work and reads the message in its next model call.`;
}
