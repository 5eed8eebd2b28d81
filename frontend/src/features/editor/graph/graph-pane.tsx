import { List, Network } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { LaneOutline } from "@/components/lane-graph/lane-outline";
import { PanelBoundary } from "@/components/panel-boundary";
import { SegmentedControl } from "@/components/ui/segmented-control";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { WorkflowDefinition } from "@/lib/api/types";

export const loadLaneGraph = () => import("@/components/lane-graph/lane-graph");
const LaneGraph = lazy(async () => ({ default: (await loadLaneGraph()).LaneGraph }));

interface Props {
  definition: WorkflowDefinition | null;
  /** The text has changed since and cannot be drawn. */
  isStale: boolean;
  node: string | null;
  onNode: (node: string | null) => void;
  /** What selecting a node does in this view. */
  hint?: string;
  /** Shows only the graph or only the outline, without a switch. */
  only?: "graph" | "outline";
}

/** The workflow as a graph or as an outline. */
export function GraphPane({ definition, isStale, node, onNode, hint, only }: Props) {
  const [mode, setMode] = useState<"graph" | "outline">("graph");
  if (!definition) {
    return (
      <EmptyState icon={Network} title="Nothing to show yet">
        Agents and tasks appear here once the document defines them.
      </EmptyState>
    );
  }
  const props = { definition, selected: node, onSelect: onNode, dimmed: isStale };
  return (
    <div className="flex h-full min-h-0 flex-col">
      {!only && (
        <div className="flex shrink-0 items-center justify-between gap-2 border-b px-3 py-1">
          <GraphStatus isStale={isStale} hint={hint} />
          <SegmentedControl
            label="Show as"
            value={mode}
            onChange={setMode}
            options={[
              { value: "graph", label: <IconLabel icon={Network} label="Graph" /> },
              { value: "outline", label: <IconLabel icon={List} label="Outline" /> },
            ]}
          />
        </div>
      )}
      {only && isStale && (
        <div className="shrink-0 border-b px-3 py-1.5">
          <GraphStatus isStale />
        </div>
      )}
      <div className="min-h-0 flex-1 overflow-auto">
        {(only ?? mode) === "outline" ? (
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

function GraphStatus({ isStale, hint }: { isStale: boolean; hint?: string }) {
  return (
    <p role="status" className={isStale ? "text-xs text-warn" : "text-xs text-ink-faint"}>
      {isStale ? "Showing the last valid graph until the YAML is fixed." : hint}
    </p>
  );
}

function IconLabel({ icon: Icon, label }: { icon: typeof List; label: string }) {
  return (
    <>
      <Icon aria-hidden />
      {label}
    </>
  );
}
