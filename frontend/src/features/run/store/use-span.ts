import { useCallback, useRef, useSyncExternalStore } from "react";

import type { RunNow, RunStore } from "./run-store";
import type { Span } from "./span";

/** A part of what is known of the run; drawn again only when that part has changed. */
export function useRunStore<T>(store: RunStore, select: (now: RunNow) => T): T {
  const last = useRef<{ now: RunNow; select: (now: RunNow) => T; part: T } | null>(null);
  return useSyncExternalStore(store.subscribe, () => {
    const now = store.getNow();
    if (last.current?.now !== now || last.current.select !== select) {
      const part = select(now);
      // A selector that builds a new object each time must not draw forever.
      const same = last.current !== null && Object.is(last.current.part, part);
      last.current = { now, select, part: same ? (last.current?.part as T) : part };
    }
    return last.current.part;
  });
}

/** One span, drawn again only when it changes. */
export function useSpan(store: RunStore, id: string | null | undefined): Span | undefined {
  const subscribe = useCallback(
    (listener: () => void) => (id == null ? () => {} : store.subscribeSpan(id, listener)),
    [store, id],
  );
  return useSyncExternalStore(subscribe, () => (id == null ? undefined : store.getSpan(id)));
}
