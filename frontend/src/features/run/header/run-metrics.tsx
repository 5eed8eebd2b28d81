import type { ReactNode } from "react";
import { useStore } from "zustand";

import { cn } from "@/lib/cn";
import { formatCost, formatCount, formatDuration } from "@/lib/format";
import { useIsShared } from "@/lib/rights";
import { hasEnded } from "@/lib/run-state";

import type { RunProps } from "../run-props";
import { useServerTime } from "../store/use-server-time";

import { ConnectionStatus } from "./connection-status";
import { usedFraction } from "./used-fraction";

/** Duration, tokens and cost of the run, with the limits of its budget. */
export function RunMetrics({ run, store }: RunProps) {
  const isShared = useIsShared();
  const liveUsage = useStore(store.state, (state) => state.usage);
  const isComplete = useStore(store.state, (state) => state.isComplete);
  const usage = isComplete ? liveUsage : run.usage;
  const { maxCost, maxTokens, maxLlmCalls } = run.budget;
  const currency = usage.cost?.currency ?? "USD";
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-1 max-sm:gap-x-4">
      <dl className="contents">
        <DurationMetric run={run} store={store} />
        <Metric name="Tokens" used={usedFraction(usage.totalTokens, maxTokens)}>
          {usage.callsWithoutUsage > 0 && usage.totalTokens != null && "at least "}
          {formatCount(usage.totalTokens)}
          {maxTokens != null && ` of ${formatCount(maxTokens)}`}
          <span className="text-ink-faint max-sm:hidden">
            {" "}
            (in {formatCount(usage.promptTokens)} / out {formatCount(usage.completionTokens)})
          </span>
        </Metric>
        <Metric name="Cost" used={usedFraction(usage.cost?.amount, maxCost)}>
          {usage.callsWithoutCost > 0 && usage.cost && "at least "}
          {formatCost(usage.cost)}
          {maxCost != null && ` of ${formatCost({ amount: maxCost, currency })}`}
        </Metric>
        {maxLlmCalls != null && (
          <Metric name="Model calls" used={usedFraction(usage.llmCalls, maxLlmCalls)}>
            {usage.llmCalls} of {maxLlmCalls}
          </Metric>
        )}
        <TasksMetric run={run} store={store} />
        {isShared && (
          <Metric name="Started by" className="max-sm:hidden">
            {run.createdByName}
          </Metric>
        )}
      </dl>
      <ConnectionStatus store={store} />
    </div>
  );
}

function DurationMetric({ run, store }: RunProps) {
  const now = useServerTime(store);
  const isOver = hasEnded(run.status);
  const end = isOver && run.finishedAt ? Date.parse(run.finishedAt) : now;
  const elapsed = run.startedAt ? Math.max(0, end - Date.parse(run.startedAt)) : null;
  const { maxSeconds } = run.budget;
  return (
    <Metric name="Duration">
      {elapsed === null ? "–" : formatElapsed(elapsed, isOver)}
      {maxSeconds != null && ` (active time limit ${formatDuration(maxSeconds * 1000)})`}
    </Metric>
  );
}

/** Shows whole seconds while the clock is running. */
function formatElapsed(milliseconds: number, isOver: boolean): string {
  if (isOver || milliseconds >= 59_950) return formatDuration(milliseconds);
  return `${Math.floor(milliseconds / 1000)} s`;
}

function TasksMetric({ run, store }: RunProps) {
  const tasks = useStore(store.state, (state) => state.tasks);
  const finished = [...tasks.values()].filter(
    ({ state }) => state === "completed" || state === "reused",
  ).length;
  return (
    <Metric name="Tasks">
      {finished}/{run.definition.tasks.length}
    </Metric>
  );
}

interface MetricProps {
  name: string;
  /** Used fraction of the limit, between 0 and 1. */
  used?: number | null;
  className?: string;
  children: ReactNode;
}

function Metric({ name, used = null, className, children }: MetricProps) {
  return (
    <div className={cn("flex items-center gap-1.5", className)}>
      <dt className="text-ink-faint">{name}</dt>
      <dd className="flex items-center gap-2 text-ink">
        <span>{children}</span>
        {used !== null && (
          <span aria-hidden className="h-1.5 w-16 overflow-hidden rounded-full bg-line">
            <span
              className={cn("block h-full", used < 0.8 ? "bg-accent" : "bg-warn")}
              style={{ width: `${used * 100}%` }}
            />
          </span>
        )}
      </dd>
    </div>
  );
}
