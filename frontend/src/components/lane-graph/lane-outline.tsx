import { Bot, Network, UserRoundCheck, Zap } from "lucide-react";

import type { TaskState, WorkflowDefinition } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { planLanes, type Lane, type NodeId, type TaskCard } from "./plan-lanes";
import { TASK_LOOKS } from "./task-state-styles";

interface Props {
  definition: WorkflowDefinition;
  states?: Record<string, TaskState>;
  selected?: NodeId | null;
  onSelect?: (node: NodeId | null) => void;
  dimmed?: boolean;
}

/** The graph in words: each agent with its tasks, and what each task builds on. */
export function LaneOutline({ definition, states, selected, onSelect, dimmed }: Props) {
  const plan = planLanes(definition);
  const ofLane = (lane: Lane) => plan.cards.filter((card) => inLane(card, lane, plan.lanes));
  return (
    <ol
      aria-label="Outline of the workflow"
      className={cn("grid gap-3 p-3", dimmed && "bg-sunken grayscale")}
    >
      {plan.lanes.map((lane) => (
        <li key={lane.id} className="overflow-hidden rounded-lg border bg-surface">
          <LaneRow lane={lane} selected={selected === lane.id} onSelect={onSelect} />
          <ol className="divide-y">
            {ofLane(lane).map((card) => (
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

function inLane(card: TaskCard, lane: Lane, lanes: Lane[]): boolean {
  const own = lanes.find((one) => one.id === `agent:${card.task.agent}`);
  return own ? own.id === lane.id : lane.manager;
}

type RowProps = Pick<Props, "onSelect"> & { selected: boolean };

function LaneRow({ lane, selected, onSelect }: RowProps & { lane: Lane }) {
  const Icon = lane.manager ? Network : Bot;
  return (
    <Row
      selected={selected}
      onPick={onSelect && !lane.manager ? () => onSelect(lane.id) : undefined}
      className="bg-sunken"
    >
      <Icon
        aria-hidden
        className={cn("size-4 shrink-0", lane.manager ? "text-ink-faint" : "text-kind-agent")}
      />
      <span className="min-w-0 flex-1">
        <span className="font-semibold">{lane.title}</span>{" "}
        <span className="text-ink-soft">{lane.subtitle}</span>
      </span>
      {lane.unused && <span className="text-xs text-ink-faint">unused</span>}
    </Row>
  );
}

function TaskRow({
  card,
  state,
  selected,
  onSelect,
}: RowProps & { card: TaskCard; state?: TaskState }) {
  const { task } = card;
  const look = state && TASK_LOOKS[state];
  return (
    <Row selected={selected} onPick={onSelect && (() => onSelect(card.id))}>
      <span className="w-4 shrink-0 text-right font-mono text-xs text-ink-faint">
        {card.number}
      </span>
      <span className="min-w-0 flex-1">
        <span className="font-medium">{task.key}</span>
        <span className="flex flex-wrap gap-x-3 text-xs text-ink-soft">
          {task.context && task.context.length > 0 && (
            <span>builds on {task.context.join(", ")}</span>
          )}
          {task.humanInput && (
            <span className="inline-flex items-center gap-1">
              <UserRoundCheck aria-hidden className="size-3.5 text-kind-task" />
              asks a person
            </span>
          )}
          {task.asyncExecution && (
            <span className="inline-flex items-center gap-1">
              <Zap aria-hidden className="size-3.5 text-kind-task" />
              runs beside others
            </span>
          )}
        </span>
      </span>
      {look && (
        <span className={cn("flex items-center gap-1 text-xs font-medium", look.text)}>
          <look.Icon aria-hidden className={cn("size-3.5", look.spins && "animate-spin")} />
          {look.word}
        </span>
      )}
    </Row>
  );
}

interface RowLooks {
  selected: boolean;
  onPick?: () => void;
  className?: string;
  children: React.ReactNode;
}

function Row({ selected, onPick, className, children }: RowLooks) {
  const looks = cn(
    "flex min-h-11 w-full items-center gap-2 px-3 py-1.5 text-left",
    className,
    selected && "bg-accent-soft",
  );
  if (!onPick) return <div className={looks}>{children}</div>;
  return (
    <button
      type="button"
      aria-pressed={selected}
      onClick={onPick}
      className={cn(looks, "hover:bg-hover focus-visible:-outline-offset-2")}
    >
      {children}
    </button>
  );
}
