import { RunStatus } from "@/components/run-status";
import { TimeAgo } from "@/components/time-ago";
import { cn } from "@/lib/cn";
import { formatCount, formatCost } from "@/lib/format";

import { RunDuration } from "./run-duration";
import { RunLink } from "./run-link";
import { RunNote } from "./run-note";
import type { RunTableRow } from "./run-table-row";
import { SelectRunCheckbox } from "./selection-checkboxes";

/** A run in the list on phones. */
export function RunCard({ row }: { row: RunTableRow }) {
  const run = row.original;
  return (
    <li
      data-run={run.id}
      className={cn(
        "relative grid grid-cols-[minmax(0,1fr)] gap-1.5 rounded-lg border bg-surface p-3",
        row.getIsSelected() && "bg-accent-soft",
      )}
    >
      <div className="flex items-center gap-3">
        <SelectRunCheckbox row={row} />
        <div className="min-w-0 flex-1">
          <RunLink run={run} />
        </div>
        <RunStatus state={run.status} />
      </div>
      <RunNote run={run} className="line-clamp-2 break-words" />
      <p className="flex flex-wrap gap-x-2 text-xs text-ink-faint">
        <TimeAgo at={run.startedAt ?? run.createdAt} />
        <span>
          · <RunDuration run={run} />
        </span>
        <span>· {formatCount(run.usage.totalTokens)} tokens</span>
        {run.usage.cost && <span>· {formatCost(run.usage.cost)}</span>}
      </p>
    </li>
  );
}
