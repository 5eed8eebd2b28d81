import { ListTree, SearchX, X } from "lucide-react";
import { useStore } from "zustand";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";
import { formatDateTime } from "@/lib/format";
import { usePreference } from "@/lib/preferences";
import { hasEnded } from "@/lib/run-state";

import { loadRunEvents } from "../store/run-event-source";
import type { RunStore } from "../store/run-store";
import { MAX_SPANS } from "../store/span-tree";

import { TimeRuler } from "./time-ruler";
import { NO_FILTER, isFiltered } from "./timeline-rows";
import { TimelineToolbar } from "./timeline-toolbar";
import { TimelineTree } from "./timeline-tree";
import { useTimeAxis, type useTimeline } from "./use-timeline";

interface Props {
  run: Run;
  store: RunStore;
  timeline: ReturnType<typeof useTimeline>;
  active: string | null;
  /** The row kept in view; null if the run is not followed. */
  followed: string | null;
  follow: { isOn: boolean; toggle: () => void };
  onSelect: (id: string) => void;
  onOpen: (id: string) => void;
}

/** The left side of the run page: the toolbar and the tree of spans. */
export function TimelinePane(props: Props) {
  const { run, store, timeline, active, follow } = props;
  const status = useStore(store.state, (state) => state.status);
  const droppedSpans = useStore(store.state, (state) => state.droppedSpans);
  const isLive = !hasEnded(status);
  const axis = useTimeAxis(store, status === "running" || status === "stopping");

  return (
    <section aria-label="Timeline" className="flex h-full min-h-0 flex-col">
      <TimelineToolbar
        filter={timeline.filter}
        onFilter={timeline.setFilter}
        onCollapseAll={timeline.collapseAll}
        onExpandAll={timeline.expandAll}
        {...(isLive && { follow })}
      />
      <Hint />
      {status === "queued" && run.queuedBecause && (
        <p role="status" className="border-b px-3 py-1 text-ink-soft">
          {run.queuedBecause}
        </p>
      )}
      {run.eventsDeletedAt && <DeletedEventsNotice deletedAt={run.eventsDeletedAt} />}
      {droppedSpans > 0 && (
        <p role="status" className="border-b bg-warn-soft px-3 py-1 text-xs text-warn">
          Showing the newest {MAX_SPANS.toLocaleString("en")} steps;{" "}
          {droppedSpans.toLocaleString("en")} older steps are hidden.
        </p>
      )}
      {timeline.rows.length > 0 ? (
        <>
          <TimeRuler axis={axis} />
          <TimelineTree
            store={store}
            rows={timeline.rows}
            axis={axis}
            active={active}
            followed={props.followed}
            onSelect={props.onSelect}
            onOpen={props.onOpen}
            onToggle={timeline.toggle}
          />
        </>
      ) : (
        <EmptyTimeline run={run} store={store} timeline={timeline} />
      )}
      <LoadError store={store} />
    </section>
  );
}

/** Says why the timeline shows the tasks of a run without their steps. */
function DeletedEventsNotice({ deletedAt }: { deletedAt: string }) {
  return (
    <p role="status" className="border-b bg-sunken px-3 py-1 text-ink-soft">
      The steps recorded before {formatDateTime(deletedAt)} were deleted because of their age.
      Tasks, outputs and usage are kept.
    </p>
  );
}

function EmptyTimeline({ run, store, timeline }: Pick<Props, "run" | "store" | "timeline">) {
  const isComplete = useStore(store.state, (state) => state.isComplete);
  if (isFiltered(timeline.filter)) {
    return (
      <EmptyState
        icon={SearchX}
        title={timeline.filter.errors ? "No errors" : "No matching steps"}
        actions={<Button onClick={() => timeline.setFilter(NO_FILTER)}>Clear filters</Button>}
      />
    );
  }
  if (!isComplete) return <SkeletonRows rows={8} />;
  return (
    <EmptyState icon={ListTree} title="No steps yet">
      {run.queuedBecause ?? "Steps appear here as the agents work."}
    </EmptyState>
  );
}

/** Offers to load the events again; the events loaded so far stay visible. */
function LoadError({ store }: { store: RunStore }) {
  const connection = useStore(store.state, (state) => state.connection);
  const error = useStore(store.state, (state) => state.loadError);
  if (connection !== "failed") return null;
  return <ErrorPanel error={error} onRetry={() => loadRunEvents(store)} className="m-3" />;
}

function Hint() {
  const [dismissed, setDismissed] = usePreference("runHintDismissed");
  if (dismissed) return null;
  return (
    <p className="flex items-center gap-2 border-b bg-accent-soft py-0.5 pr-1 pl-3 text-accent">
      <span className="flex-1">Each row is a step. Select one to see its input and output.</span>
      <IconButton size="icon-sm" label="Dismiss hint" onClick={() => setDismissed(true)}>
        <X aria-hidden />
      </IconButton>
    </p>
  );
}
