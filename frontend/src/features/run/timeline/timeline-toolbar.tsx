import { ArrowDownToLine, ChevronsDownUp, ChevronsUpDown, CircleX, Search, X } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";
import { cn } from "@/lib/cn";

import { SpanKindIcon } from "./span-styles";
import type { RowFilter } from "./timeline-rows";

const KINDS = [
  { kind: "agent", label: "Agent" },
  { kind: "llm", label: "LLM" },
  { kind: "tool", label: "Tool" },
] as const;
const FILTER_DELAY_MS = 200;

interface Props {
  filter: RowFilter;
  onFilter: (change: Partial<RowFilter>) => void;
  onCollapseAll: () => void;
  onExpandAll: () => void;
  /** Only for a run that has not ended. */
  follow?: { isOn: boolean; toggle: () => void };
}

/** Filters, follow mode, and collapse and expand buttons. */
export function TimelineToolbar({ filter, onFilter, onCollapseAll, onExpandAll, follow }: Props) {
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-1.5 border-b px-2 py-1.5">
      <FilterText text={filter.text} onChange={(text) => onFilter({ text })} />
      <Toggle isOn={filter.errors} onClick={() => onFilter({ errors: !filter.errors })}>
        <CircleX aria-hidden className="text-err" />
        Errors only
      </Toggle>
      <fieldset className="flex gap-1">
        <legend className="sr-only">Filter by kind</legend>
        {KINDS.map(({ kind, label }) => (
          <Toggle
            key={kind}
            isOn={filter.kinds.includes(kind)}
            onClick={() => onFilter({ kinds: toggleItem(filter.kinds, kind) })}
          >
            <SpanKindIcon kind={kind} />
            {label}
          </Toggle>
        ))}
      </fieldset>
      {filter.task && (
        <Button size="sm" onClick={() => onFilter({ task: null })}>
          Task: {filter.task}
          <X aria-hidden />
          <span className="sr-only">Show all tasks</span>
        </Button>
      )}
      <div className="ml-auto flex items-center gap-0.5">
        {follow && (
          <Toggle isOn={follow.isOn} onClick={follow.toggle}>
            <ArrowDownToLine aria-hidden />
            Follow
          </Toggle>
        )}
        <IconButton size="icon-sm" label="Collapse all" onClick={onCollapseAll}>
          <ChevronsDownUp aria-hidden />
        </IconButton>
        <IconButton size="icon-sm" label="Expand all" onClick={onExpandAll}>
          <ChevronsUpDown aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}

function toggleItem<T>(list: readonly T[], item: T): readonly T[] {
  return list.includes(item) ? list.filter((other) => other !== item) : [...list, item];
}

function Toggle({
  isOn,
  onClick,
  children,
}: {
  isOn: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Button
      size="sm"
      variant="ghost"
      aria-pressed={isOn}
      onClick={onClick}
      className={cn(isOn && "bg-accent-soft text-accent hover:bg-accent-soft hover:text-accent")}
    >
      {children}
    </Button>
  );
}

/** Updates the URL when typing pauses, not on every key. */
function FilterText({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [draft, setDraft] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const onType = (next: string) => {
    setDraft(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next), FILTER_DELAY_MS);
  };
  // The URL can also be changed elsewhere, e.g. by "Clear filters".
  const onBlur = () => {
    if (draft === null) return;
    clearTimeout(timer.current);
    if (draft !== text) onChange(draft);
    setDraft(null);
  };

  return (
    <div className="relative min-w-32 flex-1 basis-40">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2 size-4 -translate-y-1/2 text-ink-faint"
      />
      <Input
        type="search"
        aria-label="Filter steps"
        placeholder="Filter steps"
        value={draft ?? text}
        onChange={(event) => onType(event.target.value)}
        onBlur={onBlur}
        className="h-7 pl-8"
      />
    </div>
  );
}
