import { JsonView } from "@/components/json-view/json-view";
import { Allowed } from "@/components/allowed";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import type { McpTool } from "@/lib/api/types";

import { ToolChanges } from "./tool-changes";
import { TOOL_STATES } from "./tool-states";

const HINTS: Record<string, [whenTrue: string, whenFalse: string]> = {
  readOnlyHint: ["only reads", "changes things"],
  destructiveHint: ["may delete or overwrite", "does not destroy"],
  idempotentHint: ["can be repeated", "repeating has another effect"],
  openWorldHint: ["reaches other systems", "stays within its system"],
};

interface Props {
  tool: McpTool;
  busy: boolean;
  onReview: (use: boolean) => void;
  onTry: () => void;
}

/** A tool as its server describes it, with what a person can decide about it. */
export function ToolRow({ tool, busy, onReview, onTry }: Props) {
  const { label, tone, hint } = TOOL_STATES[tool.state];
  const text = tool.listed ?? tool.approved;
  return (
    <li className="grid gap-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h3 className="min-w-0 flex-1 basis-48 font-medium break-all">
          {text?.title || tool.name}{" "}
          <code className="font-mono text-xs font-normal text-ink-faint">{tool.reference}</code>
        </h3>
        <Badge tone={tone}>{label}</Badge>
        <Actions tool={tool} busy={busy} onReview={onReview} onTry={onTry} />
      </div>
      <p className="text-xs text-ink-faint">
        {tool.problem ?? hint}
        {tool.state === "approved" && tool.approvedAt && (
          <>
            {" "}
            Approved by {tool.approvedBy}, <TimeAgo at={tool.approvedAt} />.
          </>
        )}
      </p>
      {tool.state === "changed" && tool.approved && tool.listed ? (
        <ToolChanges approved={tool.approved} listed={tool.listed} />
      ) : (
        text && <Description text={text} />
      )}
    </li>
  );
}

function Description({ text }: { text: NonNullable<McpTool["listed"]> }) {
  const hints = Object.entries(text.hints).flatMap(
    ([name, value]) => HINTS[name]?.[value ? 0 : 1] ?? [],
  );
  return (
    <>
      <p className="max-h-60 overflow-y-auto break-words whitespace-pre-wrap text-ink-soft">
        {text.description || "The server gives no description."}
      </p>
      {hints.length > 0 && (
        <p className="text-xs text-ink-faint">The server says: {hints.join(", ")}.</p>
      )}
      <details>
        <summary className="w-fit cursor-pointer text-xs text-ink-soft">Arguments</summary>
        <JsonView value={text.inputSchema} className="mt-1" />
      </details>
    </>
  );
}

function Actions({ tool, busy, onReview, onTry }: Props) {
  const named = <span className="sr-only"> {tool.name}</span>;
  const approves = tool.state === "new" || tool.state === "changed" || tool.state === "off";
  return (
    <div className="flex flex-wrap gap-1">
      {tool.state === "approved" && (
        <Allowed scope="tools:try">
          <Button size="sm" onClick={onTry}>
            <span>Try{named}</span>
          </Button>
        </Allowed>
      )}
      <Allowed scope="connections:write">
        {approves && (
          <Button size="sm" variant="primary" disabled={busy} onClick={() => onReview(true)}>
            <span>
              {tool.state === "off" ? "Switch on" : "Approve"}
              {named}
            </span>
          </Button>
        )}
        {tool.digest && tool.state !== "off" && tool.state !== "unusable" && (
          <Button size="sm" disabled={busy} onClick={() => onReview(false)}>
            <span>Switch off{named}</span>
          </Button>
        )}
      </Allowed>
    </div>
  );
}
