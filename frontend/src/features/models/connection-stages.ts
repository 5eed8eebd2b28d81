/** A connection test as a list of steps that a person can tick off. */
import type { ConnectionReport } from "@/lib/api/types";

type Stage = ConnectionReport["stage"];
export type StepState = "passed" | "failed" | "waiting" | "not-reached" | "not-used";

export interface Step {
  stage: Exclude<Stage, "done">;
  state: StepState;
  words: string;
}

const STAGES = ["dns", "connect", "tls", "auth", "model"] as const;

const WORDS: Record<Step["stage"], string> = {
  dns: "Find the host",
  connect: "Connect",
  tls: "Encrypt the connection",
  auth: "Check the key",
  model: "Look at the models",
};

/** The steps of a test; without a report they are still being gone through. */
export function stepsOf(report: ConnectionReport | null, plainHttp: boolean): Step[] {
  const reached = report ? [...STAGES, "done"].indexOf(report.stage) : -1;
  return STAGES.map((stage, index) => {
    const state = stateOf(report, index, reached);
    const unused = stage === "tls" && plainHttp && state !== "failed";
    return { stage, words: WORDS[stage], state: unused ? "not-used" : state };
  });
}

function stateOf(report: ConnectionReport | null, index: number, reached: number): StepState {
  if (!report) return "waiting";
  if (index < reached) return "passed";
  return index === reached && !report.ok ? "failed" : "not-reached";
}

/** Where a test ended, in a few words for a row. */
export function outcomeWords(report: ConnectionReport): string {
  if (report.ok) return "Connected";
  const words: Record<Stage, string> = {
    dns: "Host not found",
    connect: "No connection",
    tls: "No encryption",
    auth: "Key refused",
    model: "Models not confirmed",
    done: "Failed",
  };
  return words[report.stage];
}
