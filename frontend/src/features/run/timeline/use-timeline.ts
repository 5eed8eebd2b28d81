import { useDeferredValue, useMemo, useState } from "react";

import { useRunStore } from "../store/use-span";
import type { RunStore } from "../store/run-store";
import { useServerNow } from "../store/use-live-run-store";
import type { RunView } from "../store/use-run-search";

import { axisOf } from "./time-axis";
import { visibleRows, type RowFilter } from "./timeline-rows";

const KINDS = ["agent", "llm", "tool"] as const;

/** The rows of a run's timeline as the address filters them and the reader has folded them. */
export function useTimeline(store: RunStore, view: RunView) {
  const { errors = false, q = "", kind = [], task = null } = view.search;
  const filter: RowFilter = useMemo(
    () => ({ errors, text: q, kinds: kind, task }),
    // oxlint-disable-next-line react/exhaustive-deps -- a list in an address is a new one each time
    [errors, q, kind.join(), task],
  );
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const structure = useDeferredValue(useRunStore(store, (now) => now.structure));
  const rows = useMemo(
    () => visibleRows(store, filter, collapsed),
    // oxlint-disable-next-line react/exhaustive-deps -- the structure's number stands for the spans
    [store, filter, collapsed, structure],
  );

  return {
    rows,
    filter,
    setFilter: (change: Partial<RowFilter>) => view.show(addressOf({ ...filter, ...change })),
    toggle: (id: string, open: boolean) =>
      setCollapsed((now) => {
        const next = new Set(now);
        if (open) next.delete(id);
        else next.add(id);
        return next;
      }),
    collapseAll: () => setCollapsed(new Set([...store.spans()].map((span) => span.id))),
    expandAll: () => setCollapsed(new Set()),
  };
}

function addressOf({ errors, text, kinds, task }: RowFilter) {
  return {
    errors: errors || undefined,
    q: text || undefined,
    kind: KINDS.filter((kind) => kinds.includes(kind)),
    task: task ?? undefined,
  };
}

/**
 * The axis of time under the rows: of the whole run, whatever is filtered. While a person is waited for the
 * clock stands still on it, and a task that is not over ends with the last step in it.
 */
export function useAxis(store: RunStore, live: boolean) {
  const structure = useRunStore(store, (now) => now.structure);
  const serverNow = useServerNow(store);
  return useMemo(
    () => {
      if (!live) return axisOf(store.spans(), null);
      const roots = store.roots.flatMap((id) => store.getSpan(id) ?? []);
      return axisOf(roots, serverNow);
    },
    // oxlint-disable-next-line react/exhaustive-deps -- the structure's number stands for the spans
    [store, structure, live && serverNow],
  );
}
