import { ListTree, SearchX, X } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";
import { usePreference } from "@/lib/preferences";
import { hasEnded } from "@/lib/run-state";

import { useRunStore } from "../store/use-span";
import { readStory } from "../store/run-event-source";
import type { RunStore } from "../store/run-store";
import { MOST_SPANS } from "../store/span-tree";

import { EVERYTHING, isFiltered } from "./timeline-rows";
import { TimeRuler } from "./time-ruler";
import { TimelineToolbar } from "./timeline-toolbar";
import { TimelineTree } from "./timeline-tree";
import { useAxis, type useTimeline } from "./use-timeline";

interface Props {
  run: Run;
  store: RunStore;
  timeline: ReturnType<typeof useTimeline>;
  active: string | null;
  /** The row that stays in sight; null when the run is not followed. */
  followed: string | null;
  follow: { on: boolean; toggle: () => void };
  onPick: (id: string) => void;
  onOpen: (id: string) => void;
}

/** The left side of the run page: what happened, step by step. */
export function TimelinePane(props: Props) {
  const { run, store, timeline, active, follow } = props;
  const status = useRunStore(store, (now) => now.status);
  const cut = useRunStore(store, (now) => now.cut);
  const live = !hasEnded(status);
  const axis = useAxis(store, status === "running" || status === "stopping");

  return (
    <section aria-label="Timeline" className="flex h-full min-h-0 flex-col">
      <TimelineToolbar
        filter={timeline.filter}
        onFilter={timeline.setFilter}
        onCollapseAll={timeline.collapseAll}
        onExpandAll={timeline.expandAll}
        {...(live && { follow })}
      />
      <Hint />
      {status === "queued" && run.queuedBecause && (
        <p role="status" className="border-b px-3 py-1 text-ink-soft">
          {run.queuedBecause}
        </p>
      )}
      {cut > 0 && (
        <p role="status" className="border-b bg-warn-soft px-3 py-1 text-xs text-warn">
          Showing the newest {MOST_SPANS.toLocaleString("en")} steps; {cut.toLocaleString("en")}{" "}
          older ones are left out.
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
            onPick={props.onPick}
            onOpen={props.onOpen}
            onToggle={timeline.toggle}
          />
        </>
      ) : (
        <Nothing run={run} store={store} timeline={timeline} />
      )}
      <Unread store={store} />
    </section>
  );
}

function Nothing({ run, store, timeline }: Pick<Props, "run" | "store" | "timeline">) {
  const complete = useRunStore(store, (now) => now.complete);
  if (isFiltered(timeline.filter)) {
    return (
      <EmptyState
        icon={SearchX}
        title={timeline.filter.errors ? "No step went wrong here" : "No step matches"}
        actions={<Button onClick={() => timeline.setFilter(EVERYTHING)}>Clear filters</Button>}
      />
    );
  }
  if (!complete) return <SkeletonRows rows={8} />;
  return (
    <EmptyState icon={ListTree} title="No steps yet">
      {run.queuedBecause ?? "Steps appear here as the agents work."}
    </EmptyState>
  );
}

/** The story could not be read: what there is stays, and it can be asked for again. */
function Unread({ store }: { store: RunStore }) {
  const connection = useRunStore(store, (now) => now.connection);
  const problem = useRunStore(store, (now) => now.problem);
  if (connection !== "failed") return null;
  return <ErrorPanel error={problem} onRetry={() => readStory(store)} className="m-3" />;
}

/** One line for who is here for the first time. */
function Hint() {
  const [dismissed, setDismissed] = usePreference("runHintDismissed");
  if (dismissed) return null;
  return (
    <p className="flex items-center gap-2 border-b bg-accent-soft py-0.5 pr-1 pl-3 text-accent">
      <span className="flex-1">Each row is a step. Pick one to see what the model saw.</span>
      <IconButton size="icon-sm" label="Dismiss the hint" onClick={() => setDismissed(true)}>
        <X aria-hidden />
      </IconButton>
    </p>
  );
}
