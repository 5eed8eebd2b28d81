/** The swim-lane picture of a workflow: a column for each agent, tasks in rows by what they wait for. */
import type { WorkflowDefinition } from "@/lib/api/types";

type Agent = WorkflowDefinition["agents"][number];
type Task = WorkflowDefinition["tasks"][number];

/** What can be selected: `agent:NAME` or `task:NAME`. */
export type NodeId = string;

export interface Lane {
  /** `agent:NAME`; the lane of tasks that nobody is named for is `manager`. */
  id: NodeId;
  title: string;
  subtitle: string;
  manager: boolean;
  /** No task names this agent. */
  unused: boolean;
  x: number;
  width: number;
  height: number;
}

export interface TaskCard {
  id: NodeId;
  task: Task;
  /** Its place in the order of the document, from 1. */
  number: number;
  row: number;
  x: number;
  y: number;
}

export interface Flow {
  id: string;
  from: NodeId;
  to: NodeId;
  /** The document does not name it: CrewAI passes on what came before. */
  implied: boolean;
}

export interface LanePlan {
  lanes: Lane[];
  cards: TaskCard[];
  flows: Flow[];
  width: number;
  height: number;
}

export const CARD = { width: 208, height: 68 };
export const LANE_HEAD = 56;
const LANE_WIDTH = 240;
const LANE_GAP = 16;
const ROW_GAP = 44;
const PADDING = 20;
const MANAGER = "manager";

const agentNode = (name: string): NodeId => `agent:${name}`;
const taskNode = (name: string): NodeId => `task:${name}`;

/** Lanes, cards and edges with their places; pure, so that the same document always looks the same. */
export function planLanes(definition: WorkflowDefinition): LanePlan {
  const flows = flowsOf(definition);
  const columns = columnsOf(definition);
  const column = (task: Task) => columns.indexOf(laneOf(task, definition));
  const rows = rowsOf(definition.tasks, flows, column);
  const height = LANE_HEAD + PADDING + heightOf(Math.max(0, ...rows.values()) + 1) + PADDING;
  return {
    lanes: columns.map((id, index) => ({
      ...laneWords(id, definition),
      x: index * (LANE_WIDTH + LANE_GAP),
      width: LANE_WIDTH,
      height,
    })),
    cards: definition.tasks.map((task, index) => {
      const row = rows.get(task.key) ?? 0;
      const x = column(task) * (LANE_WIDTH + LANE_GAP) + (LANE_WIDTH - CARD.width) / 2;
      const y = LANE_HEAD + PADDING + row * (CARD.height + ROW_GAP);
      return { id: taskNode(task.key), task, number: index + 1, row, x, y };
    }),
    flows,
    width: columns.length * (LANE_WIDTH + LANE_GAP) - LANE_GAP,
    height,
  };
}

/** Who hands what to whom: the named context, or what CrewAI passes on by itself. */
export function flowsOf({ tasks }: WorkflowDefinition): Flow[] {
  const known = new Set(tasks.map((task) => task.key));
  return tasks.flatMap((task, index) =>
    task.context
      ? unique(task.context)
          .filter((name) => known.has(name) && name !== task.key)
          .map((name) => flow(name, task.key, false))
      : passedOn(tasks, index).map((name) => flow(name, task.key, true)),
  );
}

/** Without `context` a task is given what came before: the last task, or those that ran side by side. */
function passedOn(tasks: Task[], index: number): string[] {
  const before = tasks.slice(0, index);
  const lastAlone = before.findLastIndex((task) => !task.asyncExecution);
  const beside = tasks[index]?.asyncExecution ? [] : before.slice(lastAlone + 1);
  const sources = beside.length > 0 ? beside : before.slice(Math.max(0, lastAlone)).slice(0, 1);
  return lastAlone < 0 && beside.length === 0 ? [] : sources.map((task) => task.key);
}

function flow(from: string, to: string, implied: boolean): Flow {
  return { id: `${from}→${to}`, from: taskNode(from), to: taskNode(to), implied };
}

/** Lanes from left to right: in order of first use, the manager where first needed, the unused last. */
function columnsOf(definition: WorkflowDefinition): NodeId[] {
  const used = unique(definition.tasks.map((task) => laneOf(task, definition)));
  const all = definition.agents.map((agent) => agentNode(agent.key));
  return [...used, ...all.filter((id) => !used.includes(id))];
}

function laneOf(task: Task, { agents }: WorkflowDefinition): NodeId {
  const known = task.agent != null && agents.some((agent) => agent.key === task.agent);
  return known ? agentNode(task.agent ?? "") : MANAGER;
}

/** A task stands below all that it waits for, and below the earlier tasks of its own lane. */
function rowsOf(tasks: Task[], flows: Flow[], column: (task: Task) => number): Map<string, number> {
  const rows = new Map<string, number>();
  const filled = new Map<number, number>();
  for (const task of tasks) {
    const above = flows
      .filter((one) => one.to === taskNode(task.key))
      .map((one) => (rows.get(one.from.slice("task:".length)) ?? -1) + 1);
    const lane = column(task);
    const row = Math.max(filled.get(lane) ?? 0, ...above);
    rows.set(task.key, row);
    filled.set(lane, row + 1);
  }
  return rows;
}

function laneWords(
  id: NodeId,
  definition: WorkflowDefinition,
): Pick<Lane, "id" | "title" | "subtitle" | "manager" | "unused"> {
  const agent = definition.agents.find((one) => agentNode(one.key) === id);
  if (!agent) {
    const subtitle =
      definition.process === "hierarchical" ? "Hands out the work" : "No agent is named";
    const title = definition.process === "hierarchical" ? "Manager" : "Unassigned";
    return { id, title, subtitle, manager: true, unused: false };
  }
  const unused = !definition.tasks.some((task) => task.agent === agent.key);
  return { id, title: agent.key, subtitle: agentWords(agent, definition), manager: false, unused };
}

function agentWords(agent: Agent, definition: WorkflowDefinition): string {
  if (definition.managerAgent === agent.key) return `Manages · ${agent.role}`;
  return agent.role;
}

function heightOf(rows: number): number {
  return rows * CARD.height + (rows - 1) * ROW_GAP;
}

function unique<T>(items: T[]): T[] {
  return [...new Set(items)];
}
