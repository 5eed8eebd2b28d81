import type { WorkflowDefinition } from "@/lib/api/types";

type Task = WorkflowDefinition["tasks"][number];

/** `agent:KEY`, `task:KEY`, or `manager` for the lane of unassigned tasks. */
export type NodeId = string;

export interface Lane {
  id: NodeId;
  title: string;
  subtitle: string;
  /** The lane of tasks without an agent; in a hierarchical process, the manager's lane. */
  isUnassigned: boolean;
  /** No task is assigned to this agent. */
  isUnused: boolean;
  x: number;
  width: number;
  height: number;
}

export interface TaskCard {
  id: NodeId;
  task: Task;
  /** Position in the document, starting at 1. */
  number: number;
  row: number;
  x: number;
  y: number;
}

export interface ContextEdge {
  id: string;
  from: NodeId;
  to: NodeId;
  /** Not listed in `context`: CrewAI passes the preceding outputs by default. */
  isImplied: boolean;
}

export interface LanePlan {
  lanes: Lane[];
  cards: TaskCard[];
  edges: ContextEdge[];
  width: number;
  height: number;
}

export const CARD_SIZE = { width: 208, height: 68 };
export const LANE_HEADER_HEIGHT = 56;
const LANE_WIDTH = 240;
const LANE_GAP = 16;
const ROW_GAP = 44;
const PADDING = 20;
const UNASSIGNED_LANE = "manager";

const agentNodeId = (name: string): NodeId => `agent:${name}`;
const taskNodeId = (name: string): NodeId => `task:${name}`;

/**
 * Lays out a workflow: one lane per agent, one card per task below the tasks it depends on. Sizes
 * are in pixels.
 */
export function planLanes(definition: WorkflowDefinition): LanePlan {
  const edges = contextEdges(definition);
  const columns = orderedLanes(definition);
  const columnOf = (task: Task) => columns.indexOf(laneOf(task, definition));
  const rows = assignRows(definition.tasks, edges, columnOf);
  const rowCount = Math.max(0, ...rows.values()) + 1;
  const rowsHeight = rowCount * CARD_SIZE.height + (rowCount - 1) * ROW_GAP;
  const height = LANE_HEADER_HEIGHT + PADDING + rowsHeight + PADDING;
  return {
    lanes: columns.map((id, index) => ({
      ...laneHeader(id, definition),
      x: index * (LANE_WIDTH + LANE_GAP),
      width: LANE_WIDTH,
      height,
    })),
    cards: definition.tasks.map((task, index) => {
      const row = rows.get(task.key) ?? 0;
      const x = columnOf(task) * (LANE_WIDTH + LANE_GAP) + (LANE_WIDTH - CARD_SIZE.width) / 2;
      const y = LANE_HEADER_HEIGHT + PADDING + row * (CARD_SIZE.height + ROW_GAP);
      return { id: taskNodeId(task.key), task, number: index + 1, row, x, y };
    }),
    edges,
    width: columns.length * (LANE_WIDTH + LANE_GAP) - LANE_GAP,
    height,
  };
}

/** The tasks whose output each task receives: its `context`, or what CrewAI passes by default. */
export function contextEdges({ tasks }: WorkflowDefinition): ContextEdge[] {
  const known = new Set(tasks.map((task) => task.key));
  return tasks.flatMap((task, index) =>
    task.context
      ? unique(task.context)
          .filter((name) => known.has(name) && name !== task.key)
          .map((name) => contextEdge(name, task.key, false))
      : defaultContext(tasks, index).map((name) => contextEdge(name, task.key, true)),
  );
}

/** Without `context`, a task receives the output of the last task or of the async tasks before it. */
function defaultContext(tasks: Task[], index: number): string[] {
  const before = tasks.slice(0, index);
  const lastSync = before.findLastIndex((task) => !task.asyncExecution);
  const asyncSources = tasks[index]?.asyncExecution ? [] : before.slice(lastSync + 1);
  const sources =
    asyncSources.length > 0 ? asyncSources : before.slice(Math.max(0, lastSync)).slice(0, 1);
  return lastSync < 0 && asyncSources.length === 0 ? [] : sources.map((task) => task.key);
}

function contextEdge(from: string, to: string, isImplied: boolean): ContextEdge {
  return { id: `${from}→${to}`, from: taskNodeId(from), to: taskNodeId(to), isImplied };
}

/** Lane ids from left to right in order of first use, unused agents last. */
function orderedLanes(definition: WorkflowDefinition): NodeId[] {
  const used = unique(definition.tasks.map((task) => laneOf(task, definition)));
  const agentLanes = definition.agents.map((agent) => agentNodeId(agent.key));
  return [...used, ...agentLanes.filter((id) => !used.includes(id))];
}

function laneOf(task: Task, { agents }: WorkflowDefinition): NodeId {
  const isKnown = task.agent != null && agents.some((agent) => agent.key === task.agent);
  return isKnown ? agentNodeId(task.agent ?? "") : UNASSIGNED_LANE;
}

/** Places each task below the tasks it depends on and below the earlier tasks of its lane. */
function assignRows(
  tasks: Task[],
  edges: ContextEdge[],
  columnOf: (task: Task) => number,
): Map<string, number> {
  const rows = new Map<string, number>();
  const nextFreeRow = new Map<number, number>();
  for (const task of tasks) {
    const minimumRows = edges
      .filter((edge) => edge.to === taskNodeId(task.key))
      .map((edge) => (rows.get(edge.from.slice("task:".length)) ?? -1) + 1);
    const lane = columnOf(task);
    const row = Math.max(nextFreeRow.get(lane) ?? 0, ...minimumRows);
    rows.set(task.key, row);
    nextFreeRow.set(lane, row + 1);
  }
  return rows;
}

function laneHeader(
  id: NodeId,
  definition: WorkflowDefinition,
): Pick<Lane, "id" | "title" | "subtitle" | "isUnassigned" | "isUnused"> {
  const agent = definition.agents.find(({ key }) => agentNodeId(key) === id);
  if (!agent) {
    const header =
      definition.process === "hierarchical"
        ? { title: "Manager", subtitle: "Assigns the tasks" }
        : { title: "Unassigned", subtitle: "No agent assigned" };
    return { id, ...header, isUnassigned: true, isUnused: false };
  }
  const isUnused = !definition.tasks.some((task) => task.agent === agent.key);
  const subtitle = definition.managerAgent === agent.key ? `Manager · ${agent.role}` : agent.role;
  return { id, title: agent.key, subtitle, isUnassigned: false, isUnused };
}

function unique<T>(items: T[]): T[] {
  return [...new Set(items)];
}
