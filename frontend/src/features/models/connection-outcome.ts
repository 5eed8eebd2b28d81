/** Steps and outcome of a connection test. */
import type { ConnectionReport } from "@/lib/api/types";

type Stage = ConnectionReport["stage"];
export type StepState = "passed" | "failed" | "waiting" | "not-reached" | "not-used";

export interface ConnectionStep {
  stage: Exclude<Stage, "done">;
  state: StepState;
  label: string;
}

const STAGES = ["dns", "connect", "tls", "auth", "model"] as const;

const STAGE_LABELS: Record<ConnectionStep["stage"], string> = {
  dns: "Resolve host",
  connect: "Connect",
  tls: "TLS handshake",
  auth: "Check API key",
  model: "List models",
};

/** Returns the steps of a test; without a report the test is running. */
export function connectionSteps(
  report: ConnectionReport | null,
  plainHttp: boolean,
): ConnectionStep[] {
  const reached = report ? [...STAGES, "done"].indexOf(report.stage) : -1;
  return STAGES.map((stage, index) => {
    const state = stepState(report, index, reached);
    const unused = stage === "tls" && plainHttp && state !== "failed";
    return { stage, label: STAGE_LABELS[stage], state: unused ? "not-used" : state };
  });
}

function stepState(report: ConnectionReport | null, index: number, reached: number): StepState {
  if (!report) return "waiting";
  if (index < reached) return "passed";
  return index === reached && !report.ok ? "failed" : "not-reached";
}

/** Returns a short label for the outcome of a test. */
export function outcomeLabel(report: ConnectionReport): string {
  if (report.ok) return "Connected";
  const words: Record<Stage, string> = {
    dns: "Host not found",
    connect: "Connection failed",
    tls: "TLS failed",
    auth: "Invalid API key",
    model: "Models not confirmed",
    done: "Failed",
  };
  return words[report.stage];
}
