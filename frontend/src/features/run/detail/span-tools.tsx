import { JsonView } from "@/components/json-view/json-view";
import { formatDuration } from "@/lib/format";

import type { RunStore } from "../store/run-store";
import type { Span } from "../store/span";
import { useSpan } from "../store/use-span";
import { describeSpan } from "../timeline/describe-span";
import { SpanKindIcon, SpanStateIcon, spanStateLabel } from "../timeline/span-styles";

/** The tools of an agent, the tool calls of a model call, or the details of one tool call. */
export function SpanTools({ span, store }: { span: Span; store: RunStore }) {
  if (span.kind === "tool") {
    return (
      <JsonView value={{ arguments: span.json, output: span.output || span.error }} open={3} />
    );
  }
  return (
    <div className="grid gap-2">
      <p className="text-ink-soft">
        {span.kind === "agent" ? "Available tools:" : "Requested by the model:"}
      </p>
      <ul className="grid gap-1">
        {span.toolCalls.map((tool, index) => (
          <li key={index} className="flex items-center gap-2">
            <SpanKindIcon kind="tool" />
            {tool}
          </li>
        ))}
      </ul>
      {span.kind === "llm" && <ToolCalls span={span} store={store} />}
    </div>
  );
}

/** The tool calls between a model call and the next one. */
function ToolCalls({ span, store }: { span: Span; store: RunStore }) {
  const parent = useSpan(store, span.parent);
  const siblings = parent?.children ?? [];
  const calls: Span[] = [];
  for (const id of siblings.slice(siblings.indexOf(span.id) + 1)) {
    const next = store.getSpan(id);
    if (next?.kind === "llm") break;
    if (next?.kind === "tool" || next?.kind === "delegation") calls.push(next);
  }
  if (calls.length === 0) return null;
  return (
    <ul className="grid gap-1 border-t pt-2">
      {calls.map((call) => (
        <li key={call.id} className="flex items-center gap-2">
          <SpanStateIcon state={call.state} />
          <span className="sr-only">{spanStateLabel(call.state)}: </span>
          <span className="shrink-0">{call.name}</span>
          <span className="min-w-0 flex-1 truncate text-ink-faint">{describeSpan(call).text}</span>
          <span className="text-xs text-ink-soft">{formatDuration(call.durationMs)}</span>
        </li>
      ))}
    </ul>
  );
}
