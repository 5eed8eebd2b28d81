import { useStore } from "zustand";

import type { RunStore } from "./run-store";
import type { Span } from "./span";

/** One span of the run; rerenders only when that span changes. */
export function useSpan(store: RunStore, id: string | null | undefined): Span | undefined {
  return useStore(store.state, () => (id == null ? undefined : store.getSpan(id)));
}
