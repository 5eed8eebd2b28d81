import type { ReactNode } from "react";

import { formatCount, formatDuration } from "@/lib/format";

import { formatKnownCost, formatPercent } from "./insights";
import type { Insights } from "./insights-query";

/** Key metrics of the period. */
export function Totals({ insights: { totals } }: { insights: Insights }) {
  const failures = totals.failed + totals.crashed;
  return (
    <dl className="grid grid-cols-2 overflow-hidden rounded-lg border bg-surface sm:grid-cols-4 lg:col-span-2">
      <Total
        name="Runs"
        value={formatCount(totals.runs)}
        note={failures > 0 ? `${formatCount(failures)} failed or crashed` : describeActive(totals)}
      />
      <Total
        name="Success rate"
        value={formatPercent(totals.successRate)}
        note="Excludes stopped runs"
      />
      <Total
        name="Median duration"
        value={seconds(totals.medianSeconds)}
        note={`p95 ${seconds(totals.p95Seconds)}`}
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

/** `2 active`, `2 active, 1 elsewhere`. */
function describeActive({ active, activeElsewhere }: Insights["totals"]): string {
  const elsewhere = activeElsewhere > 0 ? `, ${formatCount(activeElsewhere)} elsewhere` : "";
  return `${formatCount(active)} active${elsewhere}`;
}

function seconds(value: number | null): string {
  return formatDuration(value === null ? null : value * 1000);
}
