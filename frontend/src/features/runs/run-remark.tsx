import type { RunSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { remark } from "./run-words";

const TONES = { err: "text-err", warn: "text-warn", faint: "text-ink-faint" };

/** The error in red, what is waited for in amber, other words in grey. */
export function RunRemark({ run, className }: { run: RunSummary; className?: string }) {
  const said = remark(run);
  if (!said) return null;
  return (
    <span title={said.text} className={cn("text-[13px]", TONES[said.tone], className)}>
      {said.text}
    </span>
  );
}
