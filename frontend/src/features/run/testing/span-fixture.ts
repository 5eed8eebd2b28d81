import { RunStore } from "../store/run-store";
import type { Span } from "../store/span";

import { RUN_STARTED, taskEvents, toFrames, toolCall } from "./event-fixtures";

/** A completed tool call with the given changes, without a measured duration. */
export function spanFixture(change: Partial<Span>): Span {
  const store = new RunStore("run_1");
  store.apply(
    toFrames(
      RUN_STARTED,
      taskEvents("research", "r", (context) => toolCall("t1", context)),
    ),
  );
  store.flush();
  return { ...(store.getSpan("tool:t1") as Span), durationMs: null, ...change };
}
