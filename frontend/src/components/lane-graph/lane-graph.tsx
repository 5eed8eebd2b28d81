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

import { LaneColumn, type LaneNode } from "./lane-column";
import { CARD_SIZE, planLanes, type LanePlan, type NodeId } from "./plan-lanes";
import { TaskNode, type TaskCardNode } from "./task-node";

interface Props {
  definition: WorkflowDefinition;
  /** During a run: the state of each task by key. */
  states?: Record<string, TaskState>;
  selected?: NodeId | null;
  /** Without it, nodes cannot be selected. */
  onSelect?: (node: NodeId | null) => void;
  /** The graph is older than the document shown next to it. */
  dimmed?: boolean;
}

const NODE_TYPES = { lane: LaneColumn, card: TaskNode };
const FIT_OPTIONS = { padding: 0.06, maxZoom: 1, minZoom: 0.2 };
const CENTER = CARD_SIZE.width / 2;
// Fixed positions, so that React Flow draws the edges before it has measured the nodes.
const HANDLES = [
  { type: "target" as const, position: Position.Top, x: CENTER, y: 0, width: 1, height: 1 },
  {
    type: "source" as const,
    position: Position.Bottom,
    x: CENTER,
    y: CARD_SIZE.height,
    width: 1,
    height: 1,
  },
];

/**
 * A workflow as swim lanes, one per agent. Large: import it lazily. `LaneOutline` is the accessible
 * alternative.
 */
export function LaneGraph({ definition, states, selected, onSelect, dimmed }: Props) {
  const plan = useMemo(() => planLanes(definition), [definition]);
  const nodes = useMemo(
    () => buildNodes(plan, { states, selected, onSelect }),
    [plan, states, selected, onSelect],
  );
  const edges = useMemo(() => buildEdges(plan, selected), [plan, selected]);
  // The key refits the view when the size changes; other changes keep zoom and position.
  const size = `${plan.width}x${plan.height}`;
  return (
    // Only the colours are dimmed, so that text stays readable.
    <div
      className={cn("size-full min-h-40", dimmed && "grayscale [&_.react-flow__edges]:opacity-40")}
    >
      <ReactFlowProvider>
        <ReactFlow
          key={size}
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          fitView
          fitViewOptions={FIT_OPTIONS}
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
          aria-label="Workflow graph"
        >
          <ZoomButtons />
        </ReactFlow>
      </ReactFlowProvider>
    </div>
  );
}

function ZoomButtons() {
  const view = useReactFlow();
  return (
    <Panel position="bottom-right" className="m-2! flex rounded-md border bg-raised p-0.5">
      <IconButton size="icon-sm" label="Zoom out" onClick={() => void view.zoomOut()}>
        <ZoomOut aria-hidden />
      </IconButton>
      <IconButton size="icon-sm" label="Zoom in" onClick={() => void view.zoomIn()}>
        <ZoomIn aria-hidden />
      </IconButton>
      <IconButton size="icon-sm" label="Fit view" onClick={() => void view.fitView(FIT_OPTIONS)}>
        <Maximize aria-hidden />
      </IconButton>
    </Panel>
  );
}

type NodeOptions = Pick<Props, "states" | "selected" | "onSelect">;

// React Flow hides nodes without a size until it has measured them.
function buildNodes(
  plan: LanePlan,
  { states, selected, onSelect }: NodeOptions,
): (LaneNode | TaskCardNode)[] {
  const selectHandler = (id: NodeId) => onSelect && (() => onSelect(id));
  const lanes = plan.lanes.map<LaneNode>((lane) => ({
    id: lane.id,
    type: "lane",
    position: { x: lane.x, y: 0 },
    width: lane.width,
    height: lane.height,
    zIndex: -1,
    data: { lane, selected: selected === lane.id, onSelect: selectHandler(lane.id) },
  }));
  const cards = plan.cards.map<TaskCardNode>((card) => ({
    id: card.id,
    type: "card",
    position: { x: card.x, y: card.y },
    ...CARD_SIZE,
    zIndex: 1,
    handles: HANDLES,
    data: {
      card,
      state: states?.[card.task.key],
      selected: selected === card.id,
      onSelect: selectHandler(card.id),
    },
  }));
  return [...lanes, ...cards];
}

function buildEdges(plan: LanePlan, selected?: NodeId | null): Edge[] {
  return plan.edges.map(({ id, from, to, isImplied }) => {
    const isHighlighted = selected === from || selected === to;
    return {
      id,
      source: from,
      target: to,
      type: "smoothstep",
      style: {
        stroke: isHighlighted ? "var(--accent)" : "var(--line-strong)",
        strokeWidth: isHighlighted ? 2 : 1.5,
        strokeDasharray: isImplied ? "4 4" : undefined,
      },
      pathOptions: { borderRadius: 10 },
    };
  });
}
