import { ChevronRight } from "lucide-react";
import { memo } from "react";

import { cn } from "@/lib/cn";
import { formatDuration } from "@/lib/format";

import { useSpan } from "../store/use-span";
import type { RunStore } from "../store/run-store";
import type { Span } from "../store/span";

import { barColour, KindIcon, kindWord, stateColour, StateIcon, stateWord } from "./span-styles";
import { wordsOf } from "./describe-span";
import type { Row } from "./timeline-rows";
import { barOf, lengthOf, type Axis } from "./time-axis";

const DEEPEST = 4;
const INDENT = 16;

interface Props {
  store: RunStore;
  row: Row;
  axis: Axis;
  active: boolean;
  start: number;
  height: number;
}

export function rowElementId(id: string): string {
  return `row-${id}`;
}

/** One step: its icons, its name, what it says, how long it took and where on the axis it lies. */
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
      <Length span={span} now={props.axis.to} />
      <Bar span={span} axis={props.axis} />
    </div>
  );
});

function Label({ span, row }: { span: Span; row: Row }) {
  const { text, wrong } = wordsOf(span);
  const dim = span.state === "pending" || span.state === "skipped";
  return (
    <span
      className="flex min-w-0 items-center gap-1.5"
      style={{ paddingLeft: Math.min(row.level - 1, DEEPEST) * INDENT }}
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
      <KindIcon kind={span.kind} />
      <span className="sr-only">{kindWord(span.kind)}: </span>
      <StateIcon state={span.state} />
      <span
        className={cn(
          "max-w-[60%] shrink-0 truncate",
          span.kind === "task" && "font-medium",
          dim && "text-ink-faint",
        )}
      >
        {span.name}
      </span>
      <StateWord span={span} />
      {text && (
        <span className={cn("min-w-0 truncate", wrong ? "text-err" : "text-ink-faint")}>
          {text}
        </span>
      )}
    </span>
  );
}

/** Said aloud for every row; shown where the icon alone would not tell. */
function StateWord({ span }: { span: Span }) {
  const word = stateWord(span.state);
  const told = ["retried", "recovered", "reused", "stopped", "skipped", "waiting"];
  if (!told.includes(span.state)) return <span className="sr-only">, {word}. </span>;
  return (
    <span className={cn("shrink-0 text-xs", stateColour(span.state))}>
      <span className="sr-only">, </span>
      {word}
      {span.attempt > 1 && span.kind === "task" && ` in attempt ${span.attempt}`}
    </span>
  );
}

function Length({ span, now }: { span: Span; now: number }) {
  const length = lengthOf(span, now);
  const point = span.durationMs === 0 && span.kind !== "llm" && span.kind !== "tool";
  return (
    <span className="text-right text-xs whitespace-nowrap text-ink-soft">
      {length === null || point ? "" : formatDuration(length)}
    </span>
  );
}

function Bar({ span, axis }: { span: Span; axis: Axis }) {
  const bar = barOf(span, axis);
  if (!bar) return <span className="max-sm:hidden" />;
  const live = span.state === "running";
  return (
    <span
      aria-hidden
      className="relative h-3 self-center max-sm:absolute max-sm:inset-x-9 max-sm:bottom-0.5 max-sm:h-1"
    >
      <span
        className={cn(
          "absolute inset-y-0 min-w-[3px] rounded-[2px]",
          barColour(span.kind, span.state),
          live && "opacity-80",
          (span.kind === "task" || span.kind === "agent") && "opacity-55",
        )}
        style={{ left: `${bar.left * 100}%`, width: `${bar.width * 100}%` }}
      />
    </span>
  );
}
