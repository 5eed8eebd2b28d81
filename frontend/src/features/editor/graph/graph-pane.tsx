import { List, Network } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { LaneOutline } from "@/components/lane-graph/lane-outline";
import { PanelBoundary } from "@/components/panel-boundary";
import { SegmentedControl } from "@/components/ui/segmented-control";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { WorkflowDefinition } from "@/lib/api/types";

export const loadLanes = () => import("@/components/lane-graph/lane-graph");
const LaneGraph = lazy(async () => ({ default: (await loadLanes()).LaneGraph }));

interface Props {
  definition: WorkflowDefinition | null;
  /** The text has moved on and cannot be drawn. */
  stale: boolean;
  node: string | null;
  onNode: (node: string | null) => void;
  /** What picking a node does here. */
  hint?: string;
  /** On a phone the words come first, and have a view of their own. */
  only?: "graph" | "outline";
}

/** The workflow as swim lanes, or as the same in words. */
export function GraphPane({ definition, stale, node, onNode, hint, only }: Props) {
  const [chosen, setChosen] = useState<"graph" | "outline">("graph");
  const shown = only ?? chosen;
  if (!definition) {
    return (
      <EmptyState icon={Network} title="Nothing to draw yet">
        Agents and tasks appear here as soon as the document has some.
      </EmptyState>
    );
  }
  const props = { definition, selected: node, onSelect: onNode, dimmed: stale };
  return (
    <div className="flex h-full min-h-0 flex-col">
      {!only && (
        <div className="flex shrink-0 items-center justify-between gap-2 border-b px-3 py-1">
          <Note stale={stale} hint={hint} />
          <SegmentedControl
            label="Show as"
            value={chosen}
            onChange={setChosen}
            options={[
              { value: "graph", label: <Labelled icon={Network} words="Graph" /> },
              { value: "outline", label: <Labelled icon={List} words="Outline" /> },
            ]}
          />
        </div>
      )}
      {only && stale && (
        <div className="shrink-0 border-b px-3 py-1.5">
          <Note stale />
        </div>
      )}
      <div className="min-h-0 flex-1 overflow-auto">
        {shown === "outline" ? (
          <LaneOutline {...props} />
        ) : (
          <PanelBoundary>
            <Suspense fallback={<SkeletonRows />}>
              <LaneGraph {...props} />
            </Suspense>
          </PanelBoundary>
        )}
      </div>
    </div>
  );
}

function Note({ stale, hint }: { stale: boolean; hint?: string }) {
  return (
    <p role="status" className={stale ? "text-xs text-warn" : "text-xs text-ink-faint"}>
      {stale ? "The last graph that could be drawn: the YAML is not valid now." : hint}
    </p>
  );
}

function Labelled({ icon: Icon, words }: { icon: typeof List; words: string }) {
  return (
    <>
      <Icon aria-hidden />
      {words}
    </>
  );
}
