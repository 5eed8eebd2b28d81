/** What a row says beside its name. Pure. */
import { previewText } from "@/lib/format";

import type { Span } from "../store/span";

/** The error, the first words of what it brought, or what it was asked: whichever says most. */
export function wordsOf(span: Span): { text: string; wrong: boolean } {
  if (span.error) return { text: previewText(span.error), wrong: span.state === "failed" };
  if (span.kind === "llm" && span.output === "" && span.toolCalls.length > 0) {
    return { text: `→ ${span.toolCalls.join(", ")}`, wrong: false };
  }
  if (span.kind === "tool") return { text: toolWords(span), wrong: false };
  if (span.kind === "message") return { text: previewText(span.input || span.note), wrong: false };
  if (span.output) return { text: previewText(answerIn(span.output)), wrong: false };
  if (span.note) return { text: span.note, wrong: false };
  return { text: span.kind === "task" ? previewText(span.input) : "", wrong: false };
}

/** `query: "bees"`: the arguments in short; the answer where a tool takes none. */
function toolWords(span: Span): string {
  const given = span.json;
  if (given !== null && typeof given === "object" && Object.keys(given).length > 0) {
    const pairs = Object.entries(given).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return previewText(pairs.join(", "));
  }
  return previewText(span.output || (typeof given === "string" ? given : ""));
}

/** CrewAI has models think aloud before they answer: the answer says more. */
function answerIn(output: string): string {
  return /^Thought:[\s\S]*?\nFinal Answer:\s*(\S[\s\S]*)/.exec(output)?.[1] ?? output;
}
