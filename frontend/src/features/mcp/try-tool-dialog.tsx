import { useMutation } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import type { McpTool, McpToolTestReport } from "@/lib/api/types";
import { formatDuration } from "@/lib/format";

const FORM_ID = "try-mcp-tool-form";

/** Calls a tool once with arguments that a person writes. */
export function TryToolDialog({ tool, onClose }: { tool: McpTool; onClose: () => void }) {
  const [text, setText] = useState(() => exampleArguments(tool));
  const [problem, setProblem] = useState<string | null>(null);
  const call = useMutation({
    mutationFn: async (given: Record<string, never>) =>
      body(
        await api.POST("/api/v1/mcp/tools/test", {
          body: { tool: tool.reference, arguments: given },
        }),
      ),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const given = parseArguments(text);
    setProblem(given ? null : 'Write a JSON object, such as {"query": "tea"}.');
    if (given) call.mutate(given);
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Try ${tool.name}`}
      description="This calls the tool at its server: what it does takes effect."
      className="w-[min(40rem,calc(100vw-1.5rem))]"
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" form={FORM_ID} variant="primary" busy={call.isPending}>
            Call tool
          </Button>
        </>
      }
    >
      <form id={FORM_ID} onSubmit={submit} className="grid gap-4">
        <Field label="Arguments (JSON)" error={problem}>
          <Textarea
            rows={6}
            spellCheck={false}
            className="font-mono text-[13px]"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
        {call.isError && <ErrorPanel error={call.error} />}
        {call.data && !call.isPending && <Outcome report={call.data} />}
      </form>
    </Dialog>
  );
}

function Outcome({ report }: { report: McpToolTestReport }) {
  return (
    <div role="status">
      <p className="flex items-center gap-2">
        <Badge tone={report.ok ? "ok" : "err"}>{report.ok ? "Result" : "Failed"}</Badge>
        <span className="text-xs text-ink-faint">{formatDuration(report.durationMs)}</span>
      </p>
      <pre className="mt-2 max-h-80 overflow-auto rounded-md border bg-sunken p-3 font-mono text-[13px] leading-5 break-words whitespace-pre-wrap">
        {report.output}
      </pre>
    </div>
  );
}

/** An object with the required arguments, empty. */
function exampleArguments(tool: McpTool): string {
  const required: unknown = tool.approved?.inputSchema.required;
  const names = Array.isArray(required) ? required.map(String) : [];
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, ""])), null, 2);
}

function parseArguments(text: string): Record<string, never> | null {
  try {
    const value: unknown = JSON.parse(text || "{}");
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, never>) : null;
  } catch {
    return null;
  }
}
