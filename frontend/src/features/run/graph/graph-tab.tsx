import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import { useStore } from "zustand";

import { LaneOutline } from "@/components/lane-graph/lane-outline";
import { PanelBoundary } from "@/components/panel-boundary";
import { Skeleton } from "@/components/ui/skeleton";

import type { RunProps } from "../run-props";

const LaneGraph = lazy(async () => ({
  default: (await import("@/components/lane-graph/lane-graph")).LaneGraph,
}));

/** The workflow graph with the state of each task, and the same as an outline. */
export function GraphTab({ run, store }: RunProps) {
  const navigate = useNavigate();
  const tasks = useStore(store.state, (state) => state.tasks);
  const states = useMemo(
    () => Object.fromEntries([...tasks.values()].map(({ key, state }) => [key, state])),
    [tasks],
  );
  // The text filter finds both agents and tasks by their key.
  const showInTimeline = (node: string | null) => {
    if (node === null) return;
    const q = node.slice(node.indexOf(":") + 1);
    void navigate({
      to: "/runs/$runId",
      params: { runId: run.id },
      search: { view: "timeline", q },
    });
  };
  const graphProps = { definition: run.definition, states, onSelect: showInTimeline };
  return (
    <div className="flex h-full min-h-0 flex-col lg:flex-row">
      <div className="h-full min-h-0 flex-1 max-sm:hidden">
        <PanelBoundary>
          <Suspense fallback={<Skeleton className="m-4 h-80" />}>
            <LaneGraph {...graphProps} selected={null} />
          </Suspense>
        </PanelBoundary>
      </div>
      <section
        aria-labelledby="graph-outline"
        className="overflow-y-auto border-line bg-surface max-sm:flex-1 sm:max-lg:max-h-1/2 sm:max-lg:border-t lg:w-80 lg:border-l"
      >
        <h2 id="graph-outline" className="px-3 pt-3 font-semibold">
          Agents and tasks
        </h2>
        <p className="px-3 text-xs text-ink-faint">Select one to see its steps in the timeline.</p>
        <LaneOutline {...graphProps} selected={null} />
      </section>
    </div>
  );
}
