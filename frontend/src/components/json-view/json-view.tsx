import { ChevronRight } from "lucide-react";
import { useState, type ReactNode } from "react";

import { cn } from "@/lib/cn";

import { entriesOf, isBranch, summarizeBranch, type Entry } from "./json-shape";

interface Props {
  value: unknown;
  /** How many levels are expanded initially. */
  open?: number;
  className?: string;
}

/** JSON as a collapsible tree. */
export function JsonView({ value, open = 2, className }: Props) {
  return (
    <div className={cn("min-w-0 font-mono text-[13px] leading-5", className)}>
      {isBranch(value) ? <Branch value={value} depth={0} open={open} /> : <Leaf value={value} />}
    </div>
  );
}

const PAGE_SIZE = 100;

function Branch({ value, depth, open }: { value: object; depth: number; open: number }) {
  const [shown, setShown] = useState(PAGE_SIZE);
  const entries = entriesOf(value);
  if (entries.length === 0) return <Faint>{Array.isArray(value) ? "[]" : "{}"}</Faint>;
  return (
    <ul className={cn(depth > 0 && "ml-[7px] border-l pl-3")}>
      {entries.slice(0, shown).map((entry) => (
        <Row key={entry.name} entry={entry} depth={depth} open={open} />
      ))}
      {entries.length > shown && (
        <li>
          <button
            type="button"
            className="text-accent hover:underline"
            onClick={() => setShown(shown + PAGE_SIZE)}
          >
            Show {Math.min(PAGE_SIZE, entries.length - shown)} more of {entries.length}
          </button>
        </li>
      )}
    </ul>
  );
}

function Row({ entry, depth, open }: { entry: Entry; depth: number; open: number }) {
  const { name, value } = entry;
  if (isBranch(value) && entriesOf(value).length > 0) {
    return <BranchRow name={name} value={value} depth={depth} open={open} />;
  }
  return (
    <li className="py-px pl-5 break-words">
      <Name>{name}</Name>
      {isBranch(value) ? <Branch value={value} depth={0} open={0} /> : <Leaf value={value} />}
    </li>
  );
}

function BranchRow({
  name,
  value,
  depth,
  open,
}: Entry & { value: object; depth: number; open: number }) {
  const [isExpanded, setIsExpanded] = useState(depth + 1 < open);
  return (
    <li className="py-px">
      <button
        type="button"
        aria-expanded={isExpanded}
        className="inline-flex min-h-6 max-w-full items-center gap-1 rounded-sm text-left hover:bg-hover"
        onClick={() => setIsExpanded(!isExpanded)}
      >
        <ChevronRight
          aria-hidden
          className={cn("size-4 shrink-0 text-ink-faint", isExpanded && "rotate-90")}
        />
        <span className="min-w-0 break-words">
          <Name>{name}</Name>
          <Faint>{summarizeBranch(value)}</Faint>
        </span>
      </button>
      {isExpanded && <Branch value={value} depth={depth + 1} open={open} />}
    </li>
  );
}

const MAX_TEXT_LENGTH = 1_000;

function Leaf({ value }: { value: unknown }) {
  const [showAll, setShowAll] = useState(false);
  if (typeof value !== "string") {
    return <span className="text-(--code-number)">{JSON.stringify(value) ?? "undefined"}</span>;
  }
  const isCut = value.length > MAX_TEXT_LENGTH && !showAll;
  return (
    <span className="break-words whitespace-pre-wrap text-(--code-text)">
      &quot;{isCut ? value.slice(0, MAX_TEXT_LENGTH) : value}&quot;
      {isCut && (
        <button
          type="button"
          className="ml-1 text-accent hover:underline"
          onClick={() => setShowAll(true)}
        >
          … show all
        </button>
      )}
    </span>
  );
}

function Name({ children }: { children: ReactNode }) {
  return (
    <>
      <span className="text-(--code-key)">{children}:</span>{" "}
    </>
  );
}

function Faint({ children }: { children: ReactNode }) {
  return <span className="text-ink-faint">{children}</span>;
}
