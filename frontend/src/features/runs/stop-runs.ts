import { api, body } from "@/lib/api/client";
import { ApiProblem, describeError } from "@/lib/api/problem";
import type { RunSummary, StopReceipt } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

export type StopMode = "now" | "after-step";

export type StopResult =
  | { kind: "pending" }
  | { kind: "requested" }
  | { kind: "stopped"; message: string }
  | { kind: "stopping"; message: string }
  | { kind: "finished"; message: string }
  | { kind: "failed"; message: string };

const CONCURRENCY = 4;

/** Stops runs, a few at a time, and reports the progress of each; never throws. */
export async function stopRuns(
  runs: readonly RunSummary[],
  mode: StopMode,
  onResult: (runId: string, result: StopResult) => void,
): Promise<void> {
  const queue = runs.map((run) => run.id);
  const worker = async () => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      onResult(id, { kind: "requested" });
      // Sequential within a worker: the workers run in parallel.
      // oxlint-disable-next-line no-await-in-loop
      onResult(id, await stopRun(id, mode));
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, runs.length) }, worker));
}

async function stopRun(runId: string, mode: StopMode): Promise<StopResult> {
  try {
    const params = { path: { run_id: runId } };
    const { receipt } = body(
      await api.POST("/api/v1/runs/{run_id}/stop", { params, body: { mode } }),
    );
    return receipt
      ? { kind: "stopped", message: receiptMessage(receipt) }
      : { kind: "stopping", message: "Stops after the current step" };
  } catch (error) {
    if (error instanceof ApiProblem && error.slug === "run-already-finished") {
      return { kind: "finished", message: "Already finished" };
    }
    const { title, detail } = describeError(error);
    return { kind: "failed", message: detail || title };
  }
}

/** `Stopped; 1 model call cancelled`. */
function receiptMessage(receipt: StopReceipt): string {
  const parts = ["Stopped"];
  if (receipt.llmCallsInFlight > 0) {
    parts.push(`${pluralize(receipt.llmCallsInFlight, "model call")} cancelled`);
  }
  if (receipt.abandoned?.length) parts.push(`not interrupted: ${receipt.abandoned.join(", ")}`);
  return parts.join("; ");
}
