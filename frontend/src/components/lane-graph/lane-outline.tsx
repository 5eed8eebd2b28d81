import { Bot, Network, UserRoundCheck, Zap } from "lucide-react";

import type { TaskState, WorkflowDefinition } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { planLanes, type Lane, type NodeId, type TaskCard } from "./plan-lanes";
import { TASK_STATE_STYLES } from "./task-state-styles";

interface Props {
  definition: WorkflowDefinition;
  states?: Record<string, TaskState>;
  selected?: NodeId | null;
  onSelect?: (node: NodeId | null) => void;
  dimmed?: boolean;
}

/** The graph as nested lists: each agent with its tasks, and the context of each task. */
export function LaneOutline({ definition, states, selected, onSelect, dimmed }: Props) {
  const plan = planLanes(definition);
  const cardsOf = (lane: Lane) => plan.cards.filter((card) => isInLane(card, lane, plan.lanes));
  return (
    <ol
      aria-label="Workflow outline"
      className={cn("grid gap-3 p-3", dimmed && "bg-sunken grayscale")}
    >
      {plan.lanes.map((lane) => (
        <li key={lane.id} className="overflow-hidden rounded-lg border bg-surface">
          <LaneRow lane={lane} selected={selected === lane.id} onSelect={onSelect} />
          <ol className="divide-y">
            {cardsOf(lane).map((card) => (
              <li key={card.id}>
                <TaskRow
                  card={card}
                  state={states?.[card.task.key]}
                  selected={selected === card.id}
                  onSelect={onSelect}
                />
              </li>
            ))}
          </ol>
        </li>
      ))}
    </ol>
  );
}

function isInLane(card: TaskCard, lane: Lane, lanes: Lane[]): boolean {
  const agentLane = lanes.find((candidate) => candidate.id === `agent:${card.task.agent}`);
  return agentLane ? agentLane.id === lane.id : lane.isUnassigned;
}

type RowProps = Pick<Props, "onSelect"> & { selected: boolean };

function LaneRow({ lane, selected, onSelect }: RowProps & { lane: Lane }) {
  const Icon = lane.isUnassigned ? Network : Bot;
  return (
    <SelectableRow
      selected={selected}
      onSelect={onSelect && !lane.isUnassigned ? () => onSelect(lane.id) : undefined}
      className="bg-sunken"
    >
      <Icon
        aria-hidden
        className={cn("size-4 shrink-0", lane.isUnassigned ? "text-ink-faint" : "text-kind-agent")}
      />
      <span className="min-w-0 flex-1">
        <span className="font-semibold">{lane.title}</span>{" "}
        <span className="text-ink-soft">{lane.subtitle}</span>
      </span>
      {lane.isUnused && <span className="text-xs text-ink-faint">unused</span>}
    </SelectableRow>
  );
}

function TaskRow({
  card,
  state,
  selected,
  onSelect,
}: RowProps & { card: TaskCard; state?: TaskState }) {
  const { task } = card;
  const style = state && TASK_STATE_STYLES[state];
  return (
    <SelectableRow selected={selected} onSelect={onSelect && (() => onSelect(card.id))}>
      <span className="w-4 shrink-0 text-right font-mono text-xs text-ink-faint">
        {card.number}
      </span>
      <span className="min-w-0 flex-1">
        <span className="font-medium">{task.key}</span>
        <span className="flex flex-wrap gap-x-3 text-xs text-ink-soft">
          {task.context && task.context.length > 0 && (
            <span>context: {task.context.join(", ")}</span>
          )}
          {task.humanInput && (
            <span className="inline-flex items-center gap-1">
              <UserRoundCheck aria-hidden className="size-3.5 text-kind-task" />
              human input
            </span>
          )}
          {task.asyncExecution && (
            <span className="inline-flex items-center gap-1">
              <Zap aria-hidden className="size-3.5 text-kind-task" />
              async execution
            </span>
          )}
        </span>
      </span>
      {style && (
        <span className={cn("flex items-center gap-1 text-xs font-medium", style.text)}>
          <style.Icon aria-hidden className={cn("size-3.5", style.spins && "animate-spin")} />
          {style.label}
        </span>
      )}
    </SelectableRow>
  );
}

interface SelectableRowProps {
  selected: boolean;
  onSelect?: () => void;
  className?: string;
  children: React.ReactNode;
}

function SelectableRow({ selected, onSelect, className, children }: SelectableRowProps) {
  const rowClassName = cn(
    "flex min-h-11 w-full items-center gap-2 px-3 py-1.5 text-left",
    className,
    selected && "bg-accent-soft",
  );
  if (!onSelect) return <div className={rowClassName}>{children}</div>;
  return (
    <button
      type="button"
      aria-pressed={selected}
      onClick={onSelect}
      className={cn(rowClassName, "hover:bg-hover focus-visible:-outline-offset-2")}
    >
      {children}
    </button>
  );
}
