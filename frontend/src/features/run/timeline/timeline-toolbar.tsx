import { ArrowDownToLine, ChevronsDownUp, ChevronsUpDown, CircleX, Search, X } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";
import { cn } from "@/lib/cn";

import { KindIcon } from "./span-styles";
import type { RowFilter } from "./timeline-rows";

const KINDS = [
  { kind: "agent", word: "Agent" },
  { kind: "llm", word: "LLM" },
  { kind: "tool", word: "Tool" },
] as const;
const TYPING_MS = 200;

interface Props {
  filter: RowFilter;
  onFilter: (change: Partial<RowFilter>) => void;
  onCollapseAll: () => void;
  onExpandAll: () => void;
  /** Absent on a run that is over. */
  follow?: { on: boolean; toggle: () => void };
}

/** What narrows the list, and what folds and follows it. */
export function TimelineToolbar({ filter, onFilter, onCollapseAll, onExpandAll, follow }: Props) {
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-1.5 border-b px-2 py-1.5">
      <FilterText text={filter.text} onChange={(text) => onFilter({ text })} />
      <Toggle on={filter.errors} onClick={() => onFilter({ errors: !filter.errors })}>
        <CircleX aria-hidden className="text-err" />
        Errors only
      </Toggle>
      <fieldset className="flex gap-1">
        <legend className="sr-only">Only these kinds</legend>
        {KINDS.map(({ kind, word }) => (
          <Toggle
            key={kind}
            on={filter.kinds.includes(kind)}
            onClick={() => onFilter({ kinds: toggled(filter.kinds, kind) })}
          >
            <KindIcon kind={kind} />
            {word}
          </Toggle>
        ))}
      </fieldset>
      {filter.task && (
        <Button size="sm" onClick={() => onFilter({ task: null })}>
          Task: {filter.task}
          <X aria-hidden />
          <span className="sr-only">Show every task</span>
        </Button>
      )}
      <div className="ml-auto flex items-center gap-0.5">
        {follow && (
          <Toggle on={follow.on} onClick={follow.toggle}>
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

function toggled<T>(list: readonly T[], one: T): readonly T[] {
  return list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
}

function Toggle({
  on,
  onClick,
  children,
}: {
  on: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Button
      size="sm"
      variant="ghost"
      aria-pressed={on}
      onClick={onClick}
      className={cn(on && "bg-accent-soft text-accent hover:bg-accent-soft hover:text-accent")}
    >
      {children}
    </Button>
  );
}

/** Writes to the address when the typing pauses, not with each letter. */
function FilterText({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [draft, setDraft] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const type = (next: string) => {
    setDraft(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next), TYPING_MS);
  };
  // The address may be changed elsewhere too, e.g. by "Clear filters".
  const leave = () => {
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
        onChange={(event) => type(event.target.value)}
        onBlur={leave}
        className="h-7 pl-8"
      />
    </div>
  );
}
