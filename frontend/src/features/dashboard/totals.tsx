import type { ReactNode } from "react";

import { formatCount, formatDuration } from "@/lib/format";

import { formatKnownCost, formatPercent } from "./insights";
import type { Insights } from "./insights-query";

/** The period in four figures. */
export function Totals({ insights: { totals } }: { insights: Insights }) {
  const bad = totals.failed + totals.crashed;
  return (
    <dl className="grid grid-cols-2 overflow-hidden rounded-lg border bg-surface sm:grid-cols-4 lg:col-span-2">
      <Total
        name="Runs"
        value={formatCount(totals.runs)}
        note={
          bad > 0
            ? `${formatCount(bad)} failed or crashed`
            : `${formatCount(totals.active)} at work`
        }
      />
      <Total
        name="Success rate"
        value={formatPercent(totals.successRate)}
        note="stopped runs left out"
      />
      <Total
        name="Median time"
        value={seconds(totals.medianSeconds)}
        note={`95 % took at most ${seconds(totals.p95Seconds)}`}
      />
      <Total
        name="Cost"
        value={formatKnownCost(totals)}
        note={`${formatCount(totals.totalTokens)} tokens`}
      />
    </dl>
  );
}

function Total({ name, value, note }: { name: string; value: ReactNode; note: ReactNode }) {
  return (
    <div className="-mt-px -ml-px grid h-22 content-center border-t border-l px-4">
      <dt className="text-xs text-ink-faint">{name}</dt>
      <dd className="truncate text-xl leading-7 font-semibold">{value}</dd>
      <dd className="truncate text-xs text-ink-faint">{note}</dd>
    </div>
  );
}

function seconds(value: number | null): string {
  return formatDuration(value === null ? null : value * 1000);
}
