import { lazy, Suspense, useMemo, useState } from "react";

import { useShortcut } from "@/hooks/use-shortcut";
import type { Run } from "@/lib/api/types";
import { usePreference } from "@/lib/preferences";
import { hasEnded } from "@/lib/run-state";

import { useRunStore } from "../store/use-span";
import type { RunStore } from "../store/run-store";
import type { RunView } from "../store/use-run-search";

import { currentPath, deepestFailure } from "./timeline-rows";
import { TimelinePane } from "./timeline-pane";
import { usePicked } from "./use-selected-span";
import { useTimeline } from "./use-timeline";

// Asked for together with the page, but the page's first rows do not wait for them.
const panes = import("@/components/split-panes");
const details = import("../detail/detail-pane");
const SplitPanes = lazy(async () => ({ default: (await panes).SplitPanes }));
const DetailPane = lazy(async () => ({ default: (await details).DetailPane }));

interface Props {
  run: Run;
  store: RunStore;
  view: RunView;
  /** Room for the list and the details beside it. */
  wide: boolean;
  /** On a narrow page: the details instead of the list. */
  details: boolean;
}

/** The timeline and the details of what is picked in it. */
export function Workbench({ run, store, view, wide, details }: Props) {
  const timeline = useTimeline(store, view);
  const { picked, pick } = usePickedOrFailed(store, view);
  const follow = useFollow(store, picked !== null);

  const pickRow = (id: string) => {
    follow.set(false);
    pick(id);
  };
  const openRow = (id: string) => {
    pickRow(id);
    // Back returns to the list.
    if (!wide) view.show({ span: id, view: "details" }, { push: true });
  };
  const step = (by: number) => {
    const at = timeline.rows.findIndex((row) => row.id === picked);
    const next = timeline.rows[Math.min(Math.max(at + by, 0), timeline.rows.length - 1)];
    if (next) pickRow(next.id);
  };
  const toggleFollow = () => {
    if (!follow.on) pick(null);
    follow.set(!follow.on);
  };
  const keys = { group: "Run" };
  useShortcut("j", () => step(1), { ...keys, description: "Next step" });
  useShortcut("k", () => step(-1), { ...keys, description: "Step before" });
  useShortcut("e", () => timeline.setFilter({ errors: !timeline.filter.errors }), {
    ...keys,
    description: "Errors only",
  });
  useShortcut("f", toggleFollow, { ...keys, description: "Follow live" });

  const list = (
    <TimelinePane
      run={run}
      store={store}
      timeline={timeline}
      active={picked}
      followed={follow.row}
      follow={{ on: follow.on, toggle: toggleFollow }}
      onPick={pickRow}
      onOpen={openRow}
    />
  );
  if (!wide) {
    if (!details) return list;
    return (
      <DetailPane
        run={run}
        store={store}
        picked={picked}
        onPick={pick}
        onBack={() => view.show({ view: undefined })}
      />
    );
  }
  return (
    <Suspense fallback={<div className="min-h-0 flex-1">{list}</div>}>
      <SplitPanes
        first={list}
        second={<DetailPane run={run} store={store} picked={picked} onPick={pick} />}
        preference="runPanes"
        widths={[60, 40]}
        minSizes={["26rem", "22rem"]}
        label="Width of the timeline"
        className="min-h-0 flex-1"
      />
    </Suspense>
  );
}

/** What the reader has picked; until then, the cause of a failed run. */
function usePickedOrFailed(store: RunStore, view: RunView) {
  const { picked, pick } = usePicked(view);
  const [chosen, setChosen] = useState(false);
  const failed = useRunStore(
    store,
    (now) => now.complete && (now.status === "failed" || now.status === "crashed"),
  );
  const cause = useMemo(() => (failed ? deepestFailure(store) : null), [failed, store]);
  return {
    picked: picked ?? (chosen ? null : cause),
    pick: (id: string | null) => {
      setChosen(true);
      pick(id);
    },
  };
}

/** Keeps the newest step in sight as long as nothing is picked and nobody has turned it off. */
function useFollow(store: RunStore, hasPicked: boolean) {
  const [preferred, setPreferred] = usePreference("followLive");
  const [on, setOn] = useState(preferred && !hasPicked);
  const row = useRunStore(store, (now) =>
    on && !hasEnded(now.status) ? (currentPath(store).at(-1) ?? null) : null,
  );
  return {
    on,
    row,
    set: (next: boolean) => {
      setOn(next);
      if (next) setPreferred(true);
    },
  };
}
