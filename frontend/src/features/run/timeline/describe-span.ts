import { previewText } from "@/lib/format";

import type { Span } from "../store/span";

/** One line about a span: its error, else its output, else its input. */
export function describeSpan(span: Span): { text: string; isError: boolean } {
  if (span.error) return { text: previewText(span.error), isError: span.state === "failed" };
  return { text: describeContent(span), isError: false };
}

function describeContent(span: Span): string {
  if (span.kind === "llm" && span.output === "" && span.toolCalls.length > 0) {
    return `→ ${span.toolCalls.join(", ")}`;
  }
  if (span.kind === "tool") return describeToolCall(span);
  if (span.kind === "message") return previewText(span.input || span.note);
  if (span.output) return previewText(withoutThought(span.output));
  if (span.note) return span.note;
  return span.kind === "task" ? previewText(span.input) : "";
}

/** The arguments, e.g. `query: "bees"`; the output of a tool without arguments. */
function describeToolCall({ json, output }: Span): string {
  if (json !== null && typeof json === "object" && Object.keys(json).length > 0) {
    const pairs = Object.entries(json).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return previewText(pairs.join(", "));
  }
  return previewText(output || (typeof json === "string" ? json : ""));
}

/** CrewAI prompts agents to write `Thought: … Final Answer: …`; only the answer is of interest. */
function withoutThought(output: string): string {
  return /^Thought:[\s\S]*?\nFinal Answer:\s*(\S[\s\S]*)/.exec(output)?.[1] ?? output;
}
