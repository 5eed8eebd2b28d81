import { ChevronRight } from "lucide-react";
import { useState, type ReactNode } from "react";

import { cn } from "@/lib/cn";

import { entriesOf, isBranch, summarizeBranch, type Entry } from "./json-shape";

interface Props {
  value: unknown;
  /** How many levels are open at first. */
  open?: number;
  className?: string;
}

/** JSON as a tree that folds. */
export function JsonView({ value, open = 2, className }: Props) {
  return (
    <div className={cn("min-w-0 font-mono text-[13px] leading-5", className)}>
      {isBranch(value) ? <Branch value={value} depth={0} open={open} /> : <Leaf value={value} />}
    </div>
  );
}

const STEP = 100;

function Branch({ value, depth, open }: { value: object; depth: number; open: number }) {
  const [shown, setShown] = useState(STEP);
  const entries = entriesOf(value);
  if (entries.length === 0) return <Soft>{Array.isArray(value) ? "[]" : "{}"}</Soft>;
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
            onClick={() => setShown(shown + STEP)}
          >
            Show {Math.min(STEP, entries.length - shown)} more of {entries.length}
          </button>
        </li>
      )}
    </ul>
  );
}

function Row({ entry, depth, open }: { entry: Entry; depth: number; open: number }) {
  const { name, value } = entry;
  if (isBranch(value) && entriesOf(value).length > 0) {
    return <Folder name={name} value={value} depth={depth} open={open} />;
  }
  return (
    <li className="py-px pl-5 break-words">
      <Name>{name}</Name>
      {isBranch(value) ? <Branch value={value} depth={0} open={0} /> : <Leaf value={value} />}
    </li>
  );
}

function Folder({
  name,
  value,
  depth,
  open,
}: Entry & { value: object; depth: number; open: number }) {
  const [unfolded, setUnfolded] = useState(depth + 1 < open);
  return (
    <li className="py-px">
      <button
        type="button"
        aria-expanded={unfolded}
        className="inline-flex min-h-6 max-w-full items-center gap-1 rounded-sm text-left hover:bg-hover"
        onClick={() => setUnfolded(!unfolded)}
      >
        <ChevronRight
          aria-hidden
          className={cn("size-4 shrink-0 text-ink-faint", unfolded && "rotate-90")}
        />
        <span className="min-w-0 break-words">
          <Name>{name}</Name>
          <Soft>{summarizeBranch(value)}</Soft>
        </span>
      </button>
      {unfolded && <Branch value={value} depth={depth + 1} open={open} />}
    </li>
  );
}

const LONG = 1_000;

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string") {
    return <span className="text-(--code-number)">{JSON.stringify(value) ?? "undefined"}</span>;
  }
  const cut = value.length > LONG && !whole;
  return (
    <span className="break-words whitespace-pre-wrap text-(--code-text)">
      &quot;{cut ? value.slice(0, LONG) : value}&quot;
      {cut && (
        <button
          type="button"
          className="ml-1 text-accent hover:underline"
          onClick={() => setWhole(true)}
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

function Soft({ children }: { children: ReactNode }) {
  return <span className="text-ink-faint">{children}</span>;
}
