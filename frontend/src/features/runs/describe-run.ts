import type { RunSummary } from "@/lib/api/types";
import { previewText } from "@/lib/format";

export interface RunDescription {
  text: string;
  tone: "err" | "warn" | "faint";
}

/** Describes a run in one line: its error, what it waits for, or its metadata. */
export function describeRun(run: RunSummary): RunDescription | null {
  if (run.error) return { text: previewText(run.error.message, 160), tone: "err" };
  if (run.status === "waiting") return { text: waitReasonLabel(run), tone: "warn" };
  const metadata = Object.entries(run.metadata)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ");
  return metadata ? { text: previewText(metadata, 160), tone: "faint" } : null;
}

function waitReasonLabel(run: Pick<RunSummary, "waitReason">): string {
  if (run.waitReason === "budget") return "Budget exceeded";
  return run.waitReason === "human-input" ? "Waiting for human input" : "Waiting";
}
