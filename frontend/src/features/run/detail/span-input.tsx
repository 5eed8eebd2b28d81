import { JsonView } from "@/components/json-view/json-view";

import type { Span } from "../store/span";

import { TextBlock } from "./text-block";

/** The input of a span. */
export function SpanInput({ span }: { span: Span }) {
  if (span.kind === "tool" && span.json !== null && typeof span.json === "object") {
    return (
      <section className="grid gap-1">
        <h3 className="text-xs font-medium text-ink-faint">Arguments</h3>
        <JsonView value={span.json} className="rounded-md border bg-sunken px-3 py-2" />
      </section>
    );
  }
  if (!span.input) return <p className="text-ink-faint">{missingInputMessage(span)}</p>;
  return (
    <TextBlock title={TITLES[span.kind] ?? "Input"} text={span.input}>
      {span.kind === "llm" && (
        <p className="text-xs text-ink-faint">
          Last message sent to the model{span.note && ` (${span.note})`}. Long messages are
          truncated.
        </p>
      )}
    </TextBlock>
  );
}

const TITLES: Partial<Record<Span["kind"], string>> = {
  task: "Description",
  llm: "Prompt",
  tool: "Arguments",
  delegation: "Request",
  message: "Message",
};

function missingInputMessage(span: Span): string {
  return span.kind === "agent"
    ? "The input of an agent is its task. Select one of its LLM calls to see the prompt."
    : "This step has no input.";
}
