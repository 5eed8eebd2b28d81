import type { Span } from "../store/span";
import { PRINTED_OUTPUT } from "../store/step-spans";

/** The lines that the code of a project printed, from the spans that collect them. */
export function joinPrintedLines(spans: Iterable<Span>): string {
  return [...spans]
    .filter(({ kind, name }) => kind === "note" && name === PRINTED_OUTPUT)
    .toSorted((a, b) => a.startSeq - b.startSeq)
    .map(({ output }) => output)
    .join("\n");
}
