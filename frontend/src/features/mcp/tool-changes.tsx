import { useMemo } from "react";

import type { McpTool } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { diffLines, type DiffLine } from "./line-diff";

type ToolText = NonNullable<McpTool["listed"]>;

const STYLES: Record<DiffLine["kind"], { sign: string; word: string; className: string }> = {
  same: { sign: " ", word: "", className: "text-ink-soft" },
  added: { sign: "+", word: "added: ", className: "bg-ok-soft text-ok" },
  removed: { sign: "−", word: "removed: ", className: "bg-err-soft text-err" },
};

/** What changed between the approved and the present description of a tool. */
export function ToolChanges({ approved, listed }: { approved: ToolText; listed: ToolText }) {
  const parts: [string, string, string][] = [
    ["Title", approved.title, listed.title],
    ["Description", approved.description, listed.description],
    ["Arguments", print(approved.inputSchema), print(listed.inputSchema)],
    ["What the server says of it", print(approved.hints), print(listed.hints)],
  ];
  const changed = parts.filter(([, before, after]) => before !== after);
  if (changed.length === 0) {
    return (
      <p className="text-ink-soft">
        Nothing visible changed: only hidden characters, or what the tool returns.
      </p>
    );
  }
  return changed.map(([label, before, after]) => (
    <div key={label}>
      <h4 className="font-medium">{label}</h4>
      <Lines label={label} before={before} after={after} />
    </div>
  ));
}

function Lines({ label, before, after }: { label: string; before: string; after: string }) {
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  return (
    <div
      role="region"
      aria-label={`Changes: ${label}`}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
      tabIndex={0}
      className="mt-1 max-h-80 overflow-auto rounded-md border bg-surface font-mono text-[13px] leading-5"
    >
      {lines.map(({ kind, text }, index) => (
        <p
          key={index}
          className={cn("px-2 break-words whitespace-pre-wrap", STYLES[kind].className)}
        >
          <span aria-hidden>{STYLES[kind].sign} </span>
          <span className="sr-only">{STYLES[kind].word}</span>
          {text}
        </p>
      ))}
    </div>
  );
}

function print(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
