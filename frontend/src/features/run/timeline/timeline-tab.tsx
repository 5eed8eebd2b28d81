import { lazy, Suspense, useMemo, useState } from "react";
import { useStore } from "zustand";

import { useShortcut } from "@/hooks/use-shortcut";
import type { Run } from "@/lib/api/types";
import { usePreference } from "@/lib/preferences";
import { hasEnded } from "@/lib/run-state";

import type { RunStore } from "../store/run-store";
import type { RunSearch } from "../store/use-run-search";

import { TimelinePane } from "./timeline-pane";
import { findCurrentPath, findRootCause } from "./timeline-rows";
import { useSelectedSpan } from "./use-selected-span";
import { useTimeline } from "./use-timeline";

// Requested together with the page, without delaying its first rows.
const splitPanes = import("@/components/split-panes");
const detailPane = import("../detail/detail-pane");
const SplitPanes = lazy(async () => ({ default: (await splitPanes).SplitPanes }));
const DetailPane = lazy(async () => ({ default: (await detailPane).DetailPane }));

interface Props {
  run: Run;
  store: RunStore;
  search: RunSearch;
  /** Shows the details beside the timeline. */
  isWide: boolean;
  /** On narrow pages: shows the details instead of the timeline. */
  showDetails: boolean;
}

/** The timeline and the details of the selected span. */
export function TimelineTab({ run, store, search, isWide, showDetails }: Props) {
  const timeline = useTimeline(store, search);
  const { selected, select } = useSelectionOrRootCause(store, search);
  const follow = useFollow(store, selected !== null);

  const selectRow = (id: string) => {
    follow.set(false);
    select(id);
  };
  const openRow = (id: string) => {
    selectRow(id);
    // Back returns to the timeline.
    if (!isWide) search.update({ span: id, view: "details" }, { push: true });
  };
  const moveSelection = (offset: number) => {
    const index = timeline.rows.findIndex((row) => row.id === selected);
    const next = timeline.rows[Math.min(Math.max(index + offset, 0), timeline.rows.length - 1)];
    if (next) selectRow(next.id);
  };
  const toggleFollow = () => {
    if (!follow.isOn) select(null);
    follow.set(!follow.isOn);
  };
  useShortcut("j", () => moveSelection(1), { group: "Run", description: "Next step" });
  useShortcut("k", () => moveSelection(-1), { group: "Run", description: "Previous step" });
  useShortcut("e", () => timeline.setFilter({ errors: !timeline.filter.errors }), {
    group: "Run",
    description: "Errors only",
  });
  useShortcut("f", toggleFollow, { group: "Run", description: "Follow live" });

  const timelinePane = (
    <TimelinePane
      run={run}
      store={store}
      timeline={timeline}
      active={selected}
      followed={follow.row}
      follow={{ isOn: follow.isOn, toggle: toggleFollow }}
      onSelect={selectRow}
      onOpen={openRow}
    />
  );
  if (!isWide) {
    if (!showDetails) return timelinePane;
    return (
      <DetailPane
        run={run}
        store={store}
        selected={selected}
        onSelect={select}
        onBack={() => search.update({ view: undefined })}
      />
    );
  }
  return (
    <Suspense fallback={<div className="min-h-0 flex-1">{timelinePane}</div>}>
      <SplitPanes
        first={timelinePane}
        second={<DetailPane run={run} store={store} selected={selected} onSelect={select} />}
        preference="runPanes"
        widths={[60, 40]}
        minSizes={["26rem", "22rem"]}
        label="Timeline width"
        className="min-h-0 flex-1"
      />
    </Suspense>
  );
}

/** The selected span; for a failed run the root cause, until the user selects something. */
function useSelectionOrRootCause(store: RunStore, search: RunSearch) {
  const { selected, select } = useSelectedSpan(search);
  const [hasUserSelected, setUserSelected] = useState(false);
  const hasFailed = useStore(
    store.state,
    (state) => state.isComplete && (state.status === "failed" || state.status === "crashed"),
  );
  const cause = useMemo(() => (hasFailed ? findRootCause(store) : null), [hasFailed, store]);
  return {
    selected: selected ?? (hasUserSelected ? null : cause),
    select: (id: string | null) => {
      setUserSelected(true);
      select(id);
    },
  };
}

/** Keeps the current step in view unless a span is selected or the user has turned it off. */
function useFollow(store: RunStore, hasSelection: boolean) {
  const [preferred, setPreferred] = usePreference("followLive");
  const [isOn, setOn] = useState(preferred && !hasSelection);
  const row = useStore(store.state, (state) =>
    isOn && !hasEnded(state.status) ? (findCurrentPath(store).at(-1) ?? null) : null,
  );
  return {
    isOn,
    row,
    set: (next: boolean) => {
      setOn(next);
      if (next) setPreferred(true);
    },
  };
}
