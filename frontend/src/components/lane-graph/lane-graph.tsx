import "@xyflow/react/dist/base.css";

import {
  Panel,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge,
} from "@xyflow/react";
import { Maximize, ZoomIn, ZoomOut } from "lucide-react";
import { useMemo } from "react";

import type { TaskState, WorkflowDefinition } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { IconButton } from "../ui/icon-button";
import { LaneColumn, TaskBox, type CardNode, type LaneNode } from "./lane-column";
import { CARD, planLanes, type LanePlan, type NodeId } from "./plan-lanes";

interface Props {
  definition: WorkflowDefinition;
  /** During a run: each task's state, by its key. */
  states?: Record<string, TaskState>;
  selected?: NodeId | null;
  /** Without it the graph is only looked at. */
  onSelect?: (node: NodeId | null) => void;
  /** It shows something older than what stands beside it. */
  dimmed?: boolean;
}

const NODE_TYPES = { lane: LaneColumn, card: TaskBox };
const FIT = { padding: 0.06, maxZoom: 1, minZoom: 0.2 };
const MIDDLE = CARD.width / 2;
// Known beforehand, so that edges are right in the first picture.
const HANDLES = [
  { type: "target" as const, position: Position.Top, x: MIDDLE, y: 0, width: 1, height: 1 },
  {
    type: "source" as const,
    position: Position.Bottom,
    x: MIDDLE,
    y: CARD.height,
    width: 1,
    height: 1,
  },
];

/** A workflow as swim lanes. Heavy: import it lazily, and offer `LaneOutline` beside it. */
export function LaneGraph({ definition, states, selected, onSelect, dimmed }: Props) {
  const plan = useMemo(() => planLanes(definition), [definition]);
  const nodes = useMemo(
    () => nodesOf(plan, { states, selected, onSelect }),
    [plan, states, selected, onSelect],
  );
  const edges = useMemo(() => edgesOf(plan, selected), [plan, selected]);
  // A new shape is shown whole; a change of words or states keeps the place.
  const shape = `${plan.width}x${plan.height}`;
  return (
    // Dimmed by colour only: text must stay readable.
    <div
      className={cn("size-full min-h-40", dimmed && "grayscale [&_.react-flow__edges]:opacity-40")}
    >
      <ReactFlowProvider>
        <ReactFlow
          key={shape}
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          fitView
          fitViewOptions={FIT}
          minZoom={0.2}
          maxZoom={1.5}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          zoomOnDoubleClick={false}
          deleteKeyCode={null}
          onPaneClick={() => onSelect?.(null)}
          proOptions={{ hideAttribution: true }}
          style={
            {
              "--xy-background-color": `var(--surface${dimmed ? "-sunken" : ""})`,
            } as React.CSSProperties
          }
          aria-label="Graph of the workflow"
        >
          <ViewButtons />
        </ReactFlow>
      </ReactFlowProvider>
    </div>
  );
}

function ViewButtons() {
  const view = useReactFlow();
  return (
    <Panel position="bottom-right" className="m-2! flex rounded-md border bg-raised p-0.5">
      <IconButton size="icon-sm" label="Zoom out" onClick={() => void view.zoomOut()}>
        <ZoomOut aria-hidden />
      </IconButton>
      <IconButton size="icon-sm" label="Zoom in" onClick={() => void view.zoomIn()}>
        <ZoomIn aria-hidden />
      </IconButton>
      <IconButton size="icon-sm" label="Show all" onClick={() => void view.fitView(FIT)}>
        <Maximize aria-hidden />
      </IconButton>
    </Panel>
  );
}

type Choices = Pick<Props, "states" | "selected" | "onSelect">;

// Sizes stand on every node: without them React Flow keeps a node hidden until it has measured it.
function nodesOf(plan: LanePlan, { states, selected, onSelect }: Choices): (LaneNode | CardNode)[] {
  const pick = (id: NodeId) => onSelect && (() => onSelect(id));
  const lanes = plan.lanes.map<LaneNode>((lane) => ({
    id: lane.id,
    type: "lane",
    position: { x: lane.x, y: 0 },
    width: lane.width,
    height: lane.height,
    zIndex: -1,
    data: { lane, selected: selected === lane.id, onPick: pick(lane.id) },
  }));
  const cards = plan.cards.map<CardNode>((card) => ({
    id: card.id,
    type: "card",
    position: { x: card.x, y: card.y },
    ...CARD,
    zIndex: 1,
    handles: HANDLES,
    data: {
      card,
      state: states?.[card.task.key],
      selected: selected === card.id,
      onPick: pick(card.id),
    },
  }));
  return [...lanes, ...cards];
}

function edgesOf(plan: LanePlan, selected?: NodeId | null): Edge[] {
  return plan.flows.map(({ id, from, to, implied }) => {
    const near = selected === from || selected === to;
    return {
      id,
      source: from,
      target: to,
      type: "smoothstep",
      style: {
        stroke: near ? "var(--accent)" : "var(--line-strong)",
        strokeWidth: near ? 2 : 1.5,
        strokeDasharray: implied ? "4 4" : undefined,
      },
      pathOptions: { borderRadius: 10 },
    };
  });
}
