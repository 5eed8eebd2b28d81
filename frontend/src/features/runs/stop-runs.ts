/** Stopping many runs: a few at a time, each with its own outcome. */
import { api, body } from "@/lib/api/client";
import { ApiProblem, describeError } from "@/lib/api/problem";
import type { RunSummary, StopReceipt } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

export type StopMode = "now" | "after-step";

export type StopResult =
  | { kind: "waiting" }
  | { kind: "asking" }
  | { kind: "stopped"; words: string }
  | { kind: "stopping"; words: string }
  | { kind: "over"; words: string }
  | { kind: "failed"; words: string };

const CONCURRENCY = 4;

/** Asks each run to stop and tells of every step; never throws. */
export async function stopRuns(
  runs: readonly RunSummary[],
  mode: StopMode,
  tell: (runId: string, outcome: StopResult) => void,
): Promise<void> {
  const queue = runs.map((run) => run.id);
  const worker = async () => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      tell(id, { kind: "asking" });
      // One after the other, on purpose: the others of the four go on meanwhile.
      // oxlint-disable-next-line no-await-in-loop
      tell(id, await stopRun(id, mode));
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
      ? { kind: "stopped", words: receiptMessage(receipt) }
      : { kind: "stopping", words: "Asked; it ends with the step at hand" };
  } catch (error) {
    if (error instanceof ApiProblem && error.slug === "run-already-finished") {
      return { kind: "over", words: "Had ended by itself" };
    }
    const { title, detail } = describeError(error);
    return { kind: "failed", words: detail || title };
  }
}

/** `Stopped; 1 model call was closed`. */
function receiptMessage(receipt: StopReceipt): string {
  const parts = ["Stopped"];
  if (receipt.llmCallsInFlight > 0) {
    const verb = receipt.llmCallsInFlight === 1 ? "was" : "were";
    parts.push(`${pluralize(receipt.llmCallsInFlight, "model call")} ${verb} closed`);
  }
  if (receipt.abandoned?.length) parts.push(`left behind: ${receipt.abandoned.join(", ")}`);
  return parts.join("; ");
}
