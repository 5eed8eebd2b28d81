import type { RunFailure } from "@/lib/api/types";

import type { Span } from "../store/span";

/** The step in which it went wrong: the deepest failed one, the newest of several. */
export function deepestFailure(spans: Iterable<Span>): Span | undefined {
  let found: Span | undefined;
  for (const span of spans) {
    if (span.state !== "failed") continue;
    const deeper = !found || span.depth > found.depth;
    if (deeper || (span.depth === found?.depth && span.order > found.order)) found = span;
  }
  return found;
}

const OF_PROVIDER = new Set(["model-not-found", "no-model", "context-too-long"]);

/** True when the cure is found on the page of providers and models. */
export function isOfProvider({ code }: Pick<RunFailure, "code">): boolean {
  return code.startsWith("provider-") || OF_PROVIDER.has(code);
}
