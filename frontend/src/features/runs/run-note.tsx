import type { RunSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { describeRun } from "./describe-run";

const TONES = { err: "text-err", warn: "text-warn", faint: "text-ink-faint" };

/** One line about a run: its error in red, a wait reason in amber, metadata in grey. */
export function RunNote({ run, className }: { run: RunSummary; className?: string }) {
  const description = describeRun(run);
  if (!description) return null;
  return (
    <span
      title={description.text}
      className={cn("text-[13px]", TONES[description.tone], className)}
    >
      {description.text}
    </span>
  );
}
