import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { Bot, Network, UserRoundCheck, Zap } from "lucide-react";

import type { TaskState } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { LANE_HEAD, type Lane, type TaskCard } from "./plan-lanes";
import { TASK_LOOKS } from "./task-state-styles";

export type LaneNode = Node<{ lane: Lane; selected: boolean; onPick?: () => void }, "lane">;
export type CardNode = Node<
  { card: TaskCard; state?: TaskState; selected: boolean; onPick?: () => void },
  "card"
>;

const RING = "outline-2 outline-offset-2 outline-accent";

/** A column with its agent at the head. */
export function LaneColumn({ data: { lane, selected, onPick } }: NodeProps<LaneNode>) {
  const Icon = lane.manager ? Network : Bot;
  return (
    <div
      className={cn(
        "size-full rounded-lg border bg-sunken/70",
        lane.unused && "border-dashed bg-transparent",
        lane.manager && "border-dashed bg-sunken/40",
      )}
    >
      <Pickable
        selected={selected}
        onPick={lane.manager ? undefined : onPick}
        style={{ height: LANE_HEAD }}
        className="flex w-full items-center gap-2 rounded-t-lg border-b bg-surface px-3 text-left"
      >
        <Icon
          aria-hidden
          className={cn(
            "size-4 shrink-0",
            lane.manager || lane.unused ? "text-ink-faint" : "text-kind-agent",
          )}
        />
        <span className="min-w-0 flex-1">
          <span
            className={cn(
              "block truncate font-semibold",
              lane.unused && "font-normal text-ink-faint",
            )}
          >
            {lane.title}
          </span>
          <span className="block truncate text-xs text-ink-faint">{lane.subtitle}</span>
        </span>
        {lane.unused && <span className="text-xs text-ink-faint italic">unused</span>}
      </Pickable>
    </div>
  );
}

/** A task: its number, its name, what it is about, and its state during a run. */
export function TaskBox({ data: { card, state, selected, onPick } }: NodeProps<CardNode>) {
  const { task } = card;
  const look = state && TASK_LOOKS[state];
  return (
    <>
      <Handle type="target" position={Position.Top} className="invisible" isConnectable={false} />
      <Pickable
        selected={selected}
        onPick={onPick}
        className={cn(
          "flex size-full flex-col justify-center gap-1 rounded-md border bg-surface px-3 text-left shadow-xs",
          look?.border,
        )}
      >
        <span className="flex w-full items-center gap-1.5">
          <span className="font-mono text-[11px] text-ink-faint">{card.number}</span>
          <span className="min-w-0 flex-1 truncate font-medium">{task.key}</span>
          {task.asyncExecution && <Mark icon={Zap} words="runs beside others" />}
          {task.humanInput && <Mark icon={UserRoundCheck} words="asks a person" />}
        </span>
        {look ? (
          <span className={cn("flex items-center gap-1 text-xs font-medium", look.text)}>
            <look.Icon aria-hidden className={cn("size-3.5", look.spins && "animate-spin")} />
            {look.word}
          </span>
        ) : (
          <span className="w-full truncate text-xs text-ink-soft">{task.description}</span>
        )}
      </Pickable>
      <Handle
        type="source"
        position={Position.Bottom}
        className="invisible"
        isConnectable={false}
      />
    </>
  );
}

function Mark({ icon: Icon, words }: { icon: typeof Zap; words: string }) {
  return (
    <span title={words} className="shrink-0 text-kind-task">
      <Icon aria-hidden className="size-3.5" />
      <span className="sr-only">, {words}</span>
    </span>
  );
}

interface PickableProps {
  selected: boolean;
  onPick?: () => void;
  className: string;
  style?: React.CSSProperties;
  children: React.ReactNode;
}

/** A button where something can be selected, a plain box where it is only looked at. */
function Pickable({ selected, onPick, className, children, ...rest }: PickableProps) {
  if (!onPick) {
    return (
      <div className={cn(className, selected && RING)} {...rest}>
        {children}
      </div>
    );
  }
  return (
    <button
      type="button"
      aria-pressed={selected}
      onClick={onPick}
      className={cn(
        "nopan pointer-events-auto",
        className,
        "hover:border-line-strong",
        selected && RING,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
