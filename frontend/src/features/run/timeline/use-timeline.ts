import { useDeferredValue, useMemo, useState } from "react";
import { useStore } from "zustand";

import type { RunStore } from "../store/run-store";
import type { RunSearch } from "../store/use-run-search";
import { useServerTime } from "../store/use-server-time";

import { timeAxisOf } from "./time-axis";
import { buildRows, type RowFilter } from "./timeline-rows";

const FILTER_KINDS = ["agent", "llm", "tool"] as const;

/** The rows of the timeline, with the filter from the URL and the collapsed rows. */
export function useTimeline(store: RunStore, search: RunSearch) {
  const { errors = false, q = "", kind = [], task = null } = search.params;
  const filter: RowFilter = useMemo(
    () => ({ errors, text: q, kinds: kind, task }),
    // oxlint-disable-next-line react/exhaustive-deps -- the router parses `kind` into a new array each time
    [errors, q, kind.join(), task],
  );
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const structureVersion = useDeferredValue(
    useStore(store.state, (state) => state.structureVersion),
  );
  const rows = useMemo(
    () => buildRows(store, filter, collapsed),
    // oxlint-disable-next-line react/exhaustive-deps -- the version changes with the store's spans
    [store, filter, collapsed, structureVersion],
  );

  return {
    rows,
    filter,
    setFilter: (change: Partial<RowFilter>) =>
      search.update(toSearchParams({ ...filter, ...change })),
    toggle: (id: string, open: boolean) =>
      setCollapsed((previous) => {
        const next = new Set(previous);
        if (open) next.delete(id);
        else next.add(id);
        return next;
      }),
    collapseAll: () => setCollapsed(new Set([...store.spans()].map((span) => span.id))),
    expandAll: () => setCollapsed(new Set()),
  };
}

function toSearchParams({ errors, text, kinds, task }: RowFilter) {
  return {
    errors: errors || undefined,
    q: text || undefined,
    kind: FILTER_KINDS.filter((kind) => kinds.includes(kind)),
    task: task ?? undefined,
  };
}

/**
 * The time axis of the whole run, regardless of the filter. It ends at the current time while
 * `isLive`.
 */
export function useTimeAxis(store: RunStore, isLive: boolean) {
  const structureVersion = useStore(store.state, (state) => state.structureVersion);
  const serverTime = useServerTime(store);
  return useMemo(
    () => {
      if (!isLive) return timeAxisOf(store.spans(), null);
      const roots = store.roots.flatMap((id) => store.getSpan(id) ?? []);
      return timeAxisOf(roots, serverTime);
    },
    // oxlint-disable-next-line react/exhaustive-deps -- the version changes with the store's spans
    [store, structureVersion, isLive && serverTime],
  );
}
