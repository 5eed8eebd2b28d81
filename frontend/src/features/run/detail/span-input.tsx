import { JsonView } from "@/components/json-view/json-view";

import type { Span } from "../store/span";

import { TextBlock } from "./text-block";

/** What a step was given. */
export function SpanInput({ span }: { span: Span }) {
  if (span.kind === "tool" && span.json !== null && typeof span.json === "object") {
    return (
      <section className="grid gap-1">
        <h3 className="text-xs font-medium text-ink-faint">Arguments</h3>
        <JsonView value={span.json} className="rounded-md border bg-sunken px-3 py-2" />
      </section>
    );
  }
  if (!span.input) return <p className="text-ink-faint">{absent(span)}</p>;
  return (
    <TextBlock title={TITLES[span.kind] ?? "Input"} text={span.input}>
      {span.kind === "llm" && (
        <p className="text-xs text-ink-faint">
          The last message that was sent{span.note && ` (${span.note})`}. Long ones are shortened.
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

function absent(span: Span): string {
  return span.kind === "agent"
    ? "An agent is given its task; each of its calls shows what the model was sent."
    : "This step has no input of its own.";
}
