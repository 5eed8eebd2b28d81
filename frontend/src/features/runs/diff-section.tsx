import { ArrowLeft, ArrowRight, Check, Diff } from "lucide-react";
import { useState } from "react";

import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { cn } from "@/lib/cn";
import { pluralize } from "@/lib/format";

import { changeKind, valueText, type Change } from "./run-comparison";

const MAX_TEXT_LENGTH = 600;
const PAGE_SIZE = 20;

const KINDS = {
  differs: { Icon: Diff, label: "Changed", tone: "warn" },
  "only-a": { Icon: ArrowLeft, label: "Only in A", tone: "live" },
  "only-b": { Icon: ArrowRight, label: "Only in B", tone: "live" },
} as const;

interface Props {
  title: string;
  /** Shown when there are no differences. */
  emptyText: string;
  changes: readonly Change[];
  labelFor: (path: string) => string;
}

/** Differences of one kind, side by side. */
export function DiffSection({ title, emptyText, changes, labelFor }: Props) {
  const [all, setAll] = useState(false);
  const shown = all ? changes : changes.slice(0, PAGE_SIZE);
  return (
    <Card
      title={title}
      actions={
        changes.length === 0 ? (
          <Badge tone="ok">
            <Check aria-hidden />
            Identical
          </Badge>
        ) : (
          <Badge tone="warn">
            <Diff aria-hidden />
            {pluralize(changes.length, "difference")}
          </Badge>
        )
      }
    >
      {changes.length === 0 && <p className="p-4 text-ink-soft">{emptyText}</p>}
      <ul className="divide-y">
        {shown.map((change) => (
          <ChangeRow key={change.path} change={change} label={labelFor(change.path)} />
        ))}
      </ul>
      {shown.length < changes.length && (
        <div className="border-t p-2 text-center">
          <Button variant="ghost" onClick={() => setAll(true)}>
            Show all {changes.length}
          </Button>
        </div>
      )}
    </Card>
  );
}

function ChangeRow({ change, label }: { change: Change; label: string }) {
  const { Icon, label: kind, tone } = KINDS[changeKind(change)];
  return (
    <li className="grid gap-2 px-4 py-3">
      <p className="flex flex-wrap items-center gap-2">
        <span className="min-w-0 font-medium break-words">{label}</span>
        <Badge tone={tone}>
          <Icon aria-hidden />
          {kind}
        </Badge>
      </p>
      <div className="grid gap-2 sm:grid-cols-2">
        <Value side="A" value={change.a} />
        <Value side="B" value={change.b} />
      </div>
    </li>
  );
}

function Value({ side, value }: { side: string; value: unknown }) {
  const [open, setOpen] = useState(false);
  const text = valueText(value);
  const long = text !== null && text.length > MAX_TEXT_LENGTH;
  const shown = long && !open ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
  return (
    <div className="flex min-w-0 gap-2 rounded-md bg-sunken p-2">
      <span className="text-xs font-semibold text-ink-faint">{side}</span>
      <div className="min-w-0 flex-1">
        <p
          className={cn(
            "text-[13px] break-words whitespace-pre-wrap",
            typeof value !== "string" && "font-mono text-xs leading-5",
            text === null && "font-sans text-ink-faint",
          )}
        >
          {shown ?? "Not set"}
        </p>
        {long && (
          <Button variant="link" size="inline" onClick={() => setOpen(!open)}>
            {open ? "Show less" : "Show all"}
          </Button>
        )}
      </div>
    </div>
  );
}
