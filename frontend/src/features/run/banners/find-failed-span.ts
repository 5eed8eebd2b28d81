import type { Span } from "../store/span";

/** The deepest failed span; of several at the same depth, the newest. */
export function findFailedSpan(spans: Iterable<Span>): Span | undefined {
  let found: Span | undefined;
  for (const span of spans) {
    if (span.state !== "failed") continue;
    const isDeeper = !found || span.depth > found.depth;
    if (isDeeper || (span.depth === found?.depth && span.order > found.order)) found = span;
  }
  return found;
}
