import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { UserRoundCheck, Zap, type LucideIcon } from "lucide-react";

import type { TaskState } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import type { TaskCard } from "./plan-lanes";
import { SelectableBox } from "./selectable-box";
import { TASK_STATE_STYLES } from "./task-state-styles";

export type TaskCardNode = Node<
  { card: TaskCard; state?: TaskState; selected: boolean; onSelect?: () => void },
  "card"
>;

/** A task with its number, name and description; during a run its state replaces the description. */
export function TaskNode({ data: { card, state, selected, onSelect } }: NodeProps<TaskCardNode>) {
  const { task } = card;
  const style = state && TASK_STATE_STYLES[state];
  return (
    <>
      <Handle type="target" position={Position.Top} className="invisible" isConnectable={false} />
      <SelectableBox
        selected={selected}
        onSelect={onSelect}
        className={cn(
          "flex size-full flex-col justify-center gap-1 rounded-md border bg-surface px-3 text-left shadow-xs",
          style?.border,
        )}
      >
        <span className="flex w-full items-center gap-1.5">
          <span className="font-mono text-[11px] text-ink-faint">{card.number}</span>
          <span className="min-w-0 flex-1 truncate font-medium">{task.key}</span>
          {task.asyncExecution && <Marker icon={Zap} label="async execution" />}
          {task.humanInput && <Marker icon={UserRoundCheck} label="human input" />}
        </span>
        {style ? (
          <span className={cn("flex items-center gap-1 text-xs font-medium", style.text)}>
            <style.Icon aria-hidden className={cn("size-3.5", style.spins && "animate-spin")} />
            {style.label}
          </span>
        ) : (
          <span className="w-full truncate text-xs text-ink-soft">{task.description}</span>
        )}
      </SelectableBox>
      <Handle
        type="source"
        position={Position.Bottom}
        className="invisible"
        isConnectable={false}
      />
    </>
  );
}

function Marker({ icon: Icon, label }: { icon: LucideIcon; label: string }) {
  return (
    <span title={label} className="shrink-0 text-kind-task">
      <Icon aria-hidden className="size-3.5" />
      <span className="sr-only">, {label}</span>
    </span>
  );
}
