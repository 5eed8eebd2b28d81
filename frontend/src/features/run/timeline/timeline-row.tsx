import { ChevronRight } from "lucide-react";
import { memo } from "react";

import { cn } from "@/lib/cn";
import { formatDuration } from "@/lib/format";

import type { RunStore } from "../store/run-store";
import type { Span } from "../store/span";
import { useSpan } from "../store/use-span";

import { describeSpan } from "./describe-span";
import {
  spanBarColour,
  SpanKindIcon,
  spanKindLabel,
  spanStateColour,
  SpanStateIcon,
  spanStateLabel,
} from "./span-styles";
import { barPosition, spanDuration, type TimeAxis } from "./time-axis";
import type { Row } from "./timeline-rows";

const MAX_INDENT_LEVEL = 4;
const INDENT_PX = 16;

interface Props {
  store: RunStore;
  row: Row;
  axis: TimeAxis;
  active: boolean;
  start: number;
  height: number;
}

export function rowElementId(id: string): string {
  return `row-${id}`;
}

/** One span: icons, name, description, duration and bar. */
export const TimelineRow = memo(function TimelineRow(props: Props) {
  const { store, row, active, start, height } = props;
  const span = useSpan(store, row.id);
  if (!span) return null;
  return (
    <div
      role="treeitem"
      id={rowElementId(row.id)}
      data-row={row.id}
      tabIndex={-1}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.setSize}
      aria-selected={active}
      {...(row.expandable && { "aria-expanded": row.expanded })}
      style={{ height, transform: `translateY(${start}px)` }}
      className={cn(
        "absolute inset-x-0 top-0 grid cursor-default grid-cols-[minmax(0,1fr)_4.5rem_minmax(6rem,28%)] items-center gap-x-2 border-l-2 border-transparent pr-3 pl-1 hover:bg-hover max-sm:grid-cols-[minmax(0,1fr)_4rem] max-sm:pr-2",
        active && "border-accent bg-accent-soft hover:bg-accent-soft",
      )}
    >
      <Label span={span} row={row} />
      <DurationCell span={span} now={props.axis.to} />
      <Bar span={span} axis={props.axis} />
    </div>
  );
});

function Label({ span, row }: { span: Span; row: Row }) {
  const { text, isError } = describeSpan(span);
  const isDimmed = span.state === "pending" || span.state === "skipped";
  return (
    <span
      className="flex min-w-0 items-center gap-1.5"
      style={{ paddingLeft: Math.min(row.level - 1, MAX_INDENT_LEVEL) * INDENT_PX }}
    >
      <span
        aria-hidden
        data-toggle={row.expandable ? row.id : undefined}
        className={cn(
          "grid size-6 shrink-0 place-items-center rounded-sm text-ink-faint max-sm:size-8",
          row.expandable ? "cursor-pointer hover:bg-line/60 hover:text-ink" : "invisible",
        )}
      >
        <ChevronRight className={cn("size-4", row.expanded && "rotate-90")} />
      </span>
      <SpanKindIcon kind={span.kind} />
      <span className="sr-only">{spanKindLabel(span.kind)}: </span>
      <SpanStateIcon state={span.state} />
      <span
        className={cn(
          "max-w-[60%] shrink-0 truncate",
          span.kind === "task" && "font-medium",
          isDimmed && "text-ink-faint",
        )}
      >
        {span.name}
      </span>
      <StateLabel span={span} />
      {text && (
        <span className={cn("min-w-0 truncate", isError ? "text-err" : "text-ink-faint")}>
          {text}
        </span>
      )}
    </span>
  );
}

/** Read by screen readers for every row; visible for states that the icon alone does not explain. */
function StateLabel({ span }: { span: Span }) {
  const label = spanStateLabel(span.state);
  const visibleStates = ["retried", "recovered", "reused", "stopped", "skipped", "waiting"];
  if (!visibleStates.includes(span.state)) return <span className="sr-only">, {label}. </span>;
  return (
    <span className={cn("shrink-0 text-xs", spanStateColour(span.state))}>
      <span className="sr-only">, </span>
      {label}
      {span.attempt > 1 && span.kind === "task" && ` (attempt ${span.attempt})`}
    </span>
  );
}

function DurationCell({ span, now }: { span: Span; now: number }) {
  const milliseconds = spanDuration(span, now);
  const isPoint = span.durationMs === 0 && span.kind !== "llm" && span.kind !== "tool";
  return (
    <span className="text-right text-xs whitespace-nowrap text-ink-soft">
      {milliseconds === null || isPoint ? "" : formatDuration(milliseconds)}
    </span>
  );
}

function Bar({ span, axis }: { span: Span; axis: TimeAxis }) {
  const bar = barPosition(span, axis);
  if (!bar) return <span className="max-sm:hidden" />;
  return (
    <span
      aria-hidden
      className="relative h-3 self-center max-sm:absolute max-sm:inset-x-9 max-sm:bottom-0.5 max-sm:h-1"
    >
      <span
        className={cn(
          "absolute inset-y-0 min-w-[3px] rounded-[2px]",
          spanBarColour(span.kind, span.state),
          span.state === "running" && "opacity-80",
          (span.kind === "task" || span.kind === "agent") && "opacity-55",
        )}
        style={{ left: `${bar.left * 100}%`, width: `${bar.width * 100}%` }}
      />
    </span>
  );
}
