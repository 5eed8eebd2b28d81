import type { RunSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { runNote } from "./run-summary";

const TONES = { err: "text-err", warn: "text-warn", faint: "text-ink-faint" };

/** The error in red, what is waited for in amber, other words in grey. */
export function RunNote({ run, className }: { run: RunSummary; className?: string }) {
  const said = runNote(run);
  if (!said) return null;
  return (
    <span title={said.text} className={cn("text-[13px]", TONES[said.tone], className)}>
      {said.text}
    </span>
  );
}
