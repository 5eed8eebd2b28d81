import { JsonView } from "@/components/json-view/json-view";
import { formatDuration } from "@/lib/format";

import { useSpan } from "../store/use-span";
import type { RunStore } from "../store/run-store";
import type { Span } from "../store/span";
import { KindIcon, StateIcon, stateWord } from "../timeline/span-styles";
import { wordsOf } from "../timeline/describe-span";

/** The tools an agent has, those a call asked for, or one use of a tool. */
export function SpanTools({ span, store }: { span: Span; store: RunStore }) {
  if (span.kind === "tool") {
    return (
      <JsonView value={{ arguments: span.json, output: span.output || span.error }} open={3} />
    );
  }
  return (
    <div className="grid gap-2">
      <p className="text-ink-soft">
        {span.kind === "agent" ? "The agent may use:" : "The model asked for:"}
      </p>
      <ul className="grid gap-1">
        {span.toolCalls.map((tool, index) => (
          <li key={index} className="flex items-center gap-2">
            <KindIcon kind="tool" />
            {tool}
          </li>
        ))}
      </ul>
      {span.kind === "llm" && <Used span={span} store={store} />}
    </div>
  );
}

/** The uses that followed the call, next to it in the tree. */
function Used({ span, store }: { span: Span; store: RunStore }) {
  const parent = useSpan(store, span.parent);
  const beside = parent?.children ?? [];
  const after = beside.slice(beside.indexOf(span.id) + 1);
  const uses: Span[] = [];
  for (const id of after) {
    const next = store.getSpan(id);
    if (next?.kind === "llm") break;
    if (next?.kind === "tool" || next?.kind === "delegation") uses.push(next);
  }
  if (uses.length === 0) return null;
  return (
    <ul className="grid gap-1 border-t pt-2">
      {uses.map((use) => (
        <li key={use.id} className="flex items-center gap-2">
          <StateIcon state={use.state} />
          <span className="sr-only">{stateWord(use.state)}: </span>
          <span className="shrink-0">{use.name}</span>
          <span className="min-w-0 flex-1 truncate text-ink-faint">{wordsOf(use).text}</span>
          <span className="text-xs text-ink-soft">{formatDuration(use.durationMs)}</span>
        </li>
      ))}
    </ul>
  );
}
