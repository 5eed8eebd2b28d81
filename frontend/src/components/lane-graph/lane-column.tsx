import type { Node, NodeProps } from "@xyflow/react";
import { Bot, Network } from "lucide-react";

import { cn } from "@/lib/cn";

import { LANE_HEADER_HEIGHT, type Lane } from "./plan-lanes";
import { SelectableBox } from "./selectable-box";

export type LaneNode = Node<{ lane: Lane; selected: boolean; onSelect?: () => void }, "lane">;

/** A lane with its agent in the header. */
export function LaneColumn({ data: { lane, selected, onSelect } }: NodeProps<LaneNode>) {
  const Icon = lane.isUnassigned ? Network : Bot;
  return (
    <div
      className={cn(
        "size-full rounded-lg border bg-sunken/70",
        lane.isUnused && "border-dashed bg-transparent",
        lane.isUnassigned && "border-dashed bg-sunken/40",
      )}
    >
      <SelectableBox
        selected={selected}
        onSelect={lane.isUnassigned ? undefined : onSelect}
        style={{ height: LANE_HEADER_HEIGHT }}
        className="flex w-full items-center gap-2 rounded-t-lg border-b bg-surface px-3 text-left"
      >
        <Icon
          aria-hidden
          className={cn(
            "size-4 shrink-0",
            lane.isUnassigned || lane.isUnused ? "text-ink-faint" : "text-kind-agent",
          )}
        />
        <span className="min-w-0 flex-1">
          <span
            className={cn(
              "block truncate font-semibold",
              lane.isUnused && "font-normal text-ink-faint",
            )}
          >
            {lane.title}
          </span>
          <span className="block truncate text-xs text-ink-faint">{lane.subtitle}</span>
        </span>
        {lane.isUnused && <span className="text-xs text-ink-faint italic">unused</span>}
      </SelectableBox>
    </div>
  );
}
