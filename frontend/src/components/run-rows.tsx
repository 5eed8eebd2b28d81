import { Link } from "@tanstack/react-router";

import type { RunSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatCost, formatCount, formatDuration } from "@/lib/format";

import { RunStatus } from "./run-status";
import { TimeAgo } from "./time-ago";

const COLUMNS = "grid items-center gap-x-4 grid-cols-[8rem_minmax(0,1fr)_5rem_6rem_5rem_5rem]";

/** Runs of one workflow or project as rows, or as cards on a phone. */
export function RunRows({ label, runs }: { label: string; runs: readonly RunSummary[] }) {
  return (
    <div className="sm:rounded-lg sm:border sm:bg-surface">
      <div
        aria-hidden
        className={`${COLUMNS} border-b px-4 py-2 text-xs font-medium text-ink-faint max-sm:hidden`}
      >
        <span>State</span>
        <span>Started</span>
        <span>Version</span>
        <span className="text-right">Active time</span>
        <span className="text-right">Tokens</span>
        <span className="text-right">Cost</span>
      </div>
      <ul aria-label={label} className="grid max-sm:gap-2 sm:divide-y sm:divide-line">
        {runs.map((run) => (
          <RunRow key={run.id} run={run} />
        ))}
      </ul>
    </div>
  );
}

/** A run. The whole row is a link. */
function RunRow({ run }: { run: RunSummary }) {
  return (
    <li
      className={cn(
        COLUMNS,
        "relative px-4 py-2 hover:bg-hover/60 max-sm:grid-cols-[1fr_9.5rem] max-sm:gap-y-1 max-sm:rounded-lg max-sm:border max-sm:bg-surface max-sm:py-3",
      )}
    >
      <span>
        <RunStatus state={run.status} />
      </span>
      <div className="min-w-0">
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          className="after:absolute after:inset-0 hover:underline"
        >
          <TimeAgo at={run.createdAt} />
        </Link>
        {run.error && (
          <p className="truncate text-xs text-err max-sm:hidden">{run.error.message}</p>
        )}
      </div>
      <Figure label="Version">{run.workflowVersion ?? run.projectVersion ?? "–"}</Figure>
      <Figure label="Active time" right>
        {formatDuration(run.startedAt ? run.secondsAtWork * 1000 : null)}
      </Figure>
      <Figure label="Tokens" right>
        {formatCount(run.usage.totalTokens)}
      </Figure>
      <Figure label="Cost" right>
        {formatCost(run.usage.cost)}
      </Figure>
    </li>
  );
}

interface FigureProps {
  label: string;
  right?: boolean;
  children: string | number;
}

function Figure({ label, right, children }: FigureProps) {
  return (
    <span className={cn("text-ink-soft", right && "sm:text-right")}>
      <span className="mr-1 text-xs text-ink-faint sm:sr-only">{label}</span>
      {children}
    </span>
  );
}
