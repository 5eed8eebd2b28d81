import type { ReactNode } from "react";

import type { Run } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatCount, formatDuration, formatCost } from "@/lib/format";
import { hasEnded } from "@/lib/run-state";

import { useRunStore } from "../store/use-span";
import type { RunStore } from "../store/run-store";
import { useServerNow } from "../store/use-live-run-store";

import { LiveDot } from "./connection-status";
import { shareOf } from "./used-fraction";

/** What the run has taken so far, against what it may take. */
export function RunFigures({ run, store }: { run: Run; store: RunStore }) {
  const told = useRunStore(store, (now) => now.usage);
  const complete = useRunStore(store, (now) => now.complete);
  const usage = complete ? told : run.usage;
  const { maxCost, maxTokens, maxLlmCalls, maxSeconds } = run.budget;
  const currency = usage.cost?.currency ?? "USD";
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-1 max-sm:gap-x-4">
      <dl className="contents">
        <Elapsed run={run} store={store} limit={maxSeconds ?? null} />
        <Figure name="Tokens" share={shareOf(usage.totalTokens, maxTokens)}>
          {formatCount(usage.totalTokens)}
          {maxTokens != null && ` of ${formatCount(maxTokens)}`}
          <span className="text-ink-faint max-sm:hidden">
            {" "}
            (in {formatCount(usage.promptTokens)} / out {formatCount(usage.completionTokens)})
          </span>
        </Figure>
        <Figure name="Cost" share={shareOf(usage.cost?.amount, maxCost)}>
          {formatCost(usage.cost)}
          {maxCost != null && ` of ${formatCost({ amount: maxCost, currency })}`}
        </Figure>
        {maxLlmCalls != null && (
          <Figure name="Calls" share={shareOf(usage.llmCalls, maxLlmCalls)}>
            {usage.llmCalls} of {maxLlmCalls}
          </Figure>
        )}
        <Steps run={run} store={store} />
        <Figure name="By" className="max-sm:hidden">
          {run.createdBy}
        </Figure>
      </dl>
      <LiveDot store={store} />
    </div>
  );
}

function Elapsed({ run, store, limit }: { run: Run; store: RunStore; limit: number | null }) {
  const now = useServerNow(store);
  const end = hasEnded(run.status) && run.finishedAt ? Date.parse(run.finishedAt) : now;
  const elapsed = run.startedAt ? Math.max(0, end - Date.parse(run.startedAt)) : null;
  return (
    <Figure name="Elapsed">
      {elapsed === null ? "–" : inSeconds(elapsed, hasEnded(run.status))}
      {limit !== null && ` (at most ${formatDuration(limit * 1000)} of work)`}
    </Figure>
  );
}

/** A clock that ticks shows whole seconds. */
function inSeconds(milliseconds: number, over: boolean): string {
  if (over || milliseconds >= 59_950) return formatDuration(milliseconds);
  return `${Math.floor(milliseconds / 1000)} s`;
}

function Steps({ run, store }: { run: Run; store: RunStore }) {
  const tasks = useRunStore(store, (now) => now.tasks);
  const done = [...tasks.values()].filter(
    ({ state }) => state === "completed" || state === "reused",
  ).length;
  return (
    <Figure name="Steps">
      {done}/{run.definition.tasks.length}
    </Figure>
  );
}

interface FigureProps {
  name: string;
  /** How much of its limit is used, from 0 to 1. */
  share?: number | null;
  className?: string;
  children: ReactNode;
}

function Figure({ name, share = null, className, children }: FigureProps) {
  return (
    <div className={cn("flex items-center gap-1.5", className)}>
      <dt className="text-ink-faint">{name}</dt>
      <dd className="flex items-center gap-2 text-ink">
        <span>{children}</span>
        {share !== null && (
          <span aria-hidden className="h-1.5 w-16 overflow-hidden rounded-full bg-line">
            <span
              className={cn("block h-full", share < 0.8 ? "bg-accent" : "bg-warn")}
              style={{ width: `${share * 100}%` }}
            />
          </span>
        )}
      </dd>
    </div>
  );
}
