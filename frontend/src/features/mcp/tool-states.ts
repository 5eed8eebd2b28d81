import type { Tone } from "@/components/ui/badge";
import type { McpServer, McpToolState } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

export const TOOL_STATES: Record<McpToolState, { label: string; tone: Tone; hint: string }> = {
  new: {
    label: "Needs approval",
    tone: "warn",
    hint: "Read what it says about itself. Agents may use it when you have approved it.",
  },
  changed: {
    label: "Changed",
    tone: "err",
    hint: "The server describes it differently since it was approved. It is not used until you approve the new description.",
  },
  approved: { label: "Approved", tone: "ok", hint: "Agents may use it." },
  off: { label: "Off", tone: "idle", hint: "Switched off: agents cannot use it." },
  gone: { label: "Gone", tone: "idle", hint: "The server no longer offers it." },
  unusable: { label: "Unusable", tone: "err", hint: "It cannot be used." },
};

/** Those that need someone first. */
const ORDER: McpToolState[] = ["changed", "new", "approved", "off", "unusable", "gone"];

export function byState(first: { state: McpToolState }, second: { state: McpToolState }): number {
  return ORDER.indexOf(first.state) - ORDER.indexOf(second.state);
}

/** `3 tools approved, 1 needs review`. */
export function summarizeTools({ toolCounts }: McpServer): string {
  const count = (state: McpToolState) => toolCounts[state] ?? 0;
  const open = count("new") + count("changed");
  const parts = [
    count("approved") > 0 && `${pluralize(count("approved"), "tool")} approved`,
    open > 0 && `${open} to review`,
  ].filter(Boolean);
  return parts.join(", ") || "no tools yet";
}
