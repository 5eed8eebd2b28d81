/** What a row says of a run beside its figures. */
import type { RunSummary } from "@/lib/api/types";
import { previewText } from "@/lib/format";

export interface Note {
  text: string;
  tone: "err" | "warn" | "faint";
}

/** The error, what is waited for, or what the run was started with. */
export function runNote(run: RunSummary): Note | null {
  if (run.error) return { text: previewText(run.error.message, 160), tone: "err" };
  if (run.status === "waiting") return { text: waitReasonLabel(run), tone: "warn" };
  const words = Object.entries(run.metadata)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ");
  return words ? { text: previewText(words, 160), tone: "faint" } : null;
}

function waitReasonLabel(run: Pick<RunSummary, "waitReason">): string {
  if (run.waitReason === "budget") return "Its budget is used up";
  return run.waitReason === "human-input" ? "Waits for an answer" : "Waits";
}

/** Milliseconds from the start to the end, or to `now` while it goes on; null before the start. */
export function runDurationMs(
  run: Pick<RunSummary, "startedAt" | "finishedAt">,
  now: number,
): number | null {
  if (!run.startedAt) return null;
  const end = run.finishedAt ? Date.parse(run.finishedAt) : now;
  return Math.max(0, end - Date.parse(run.startedAt));
}
