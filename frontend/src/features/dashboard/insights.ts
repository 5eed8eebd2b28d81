/** Formats the insights of the dashboard and converts them to chart points. */
import type { BarPoint } from "@/components/charts/bar-chart";
import type { LinePoint } from "@/components/charts/line-chart";
import type { Cost } from "@/lib/api/types";
import { formatDuration, formatCost, pluralize } from "@/lib/format";

import type { Bucket, Insights, Period, WorkflowInsight } from "./insights-query";

export const PERIODS: Record<Period, { label: string; description: string }> = {
  "24h": { label: "24 h", description: "in the last 24 hours" },
  "7d": { label: "7 days", description: "in the last 7 days" },
  "30d": { label: "30 days", description: "in the last 30 days" },
};

/** In stacking order, bottom first. */
export const SERIES = [
  { name: "Completed", colour: "var(--ok)" },
  { name: "Active", colour: "var(--live)" },
  { name: "Stopped", colour: "var(--line-strong)" },
  { name: "Failed or crashed", colour: "var(--err)" },
] as const;

export function runChartPoints({ buckets, period, bucketSeconds }: Insights): BarPoint[] {
  return buckets.map((bucket) => ({
    ...bucketLabels(bucket.at, period, bucketSeconds),
    values: [
      bucket.completed,
      bucket.active + bucket.activeElsewhere,
      bucket.stopped,
      bucket.failed + bucket.crashed,
    ],
  }));
}

export function costChartPoints({ buckets, period, bucketSeconds }: Insights): LinePoint[] {
  return buckets.map((bucket) => ({
    ...bucketLabels(bucket.at, period, bucketSeconds),
    value: bucketCost(bucket),
  }));
}

/** Returns 0 for a bucket without runs, else its known cost. */
function bucketCost(bucket: Bucket): number | null {
  const known = bucket.cost ?? bucket.knownCost;
  if (known) return Number(known.amount);
  return bucketRuns(bucket) === 0 ? 0 : null;
}

function bucketRuns(bucket: Bucket): number {
  const active = bucket.active + bucket.activeElsewhere;
  return bucket.completed + bucket.failed + bucket.stopped + bucket.crashed + active;
}

/** `12 runs in the last 24 hours: 9 completed, 2 failed, 1 stopped.` */
export function describeRuns({ totals, period }: Insights): string {
  const parts = [
    [totals.completed, "completed"],
    [totals.failed, "failed"],
    [totals.crashed, "crashed"],
    [totals.stopped, "stopped"],
    [totals.active, "active"],
    [totals.activeElsewhere, "active elsewhere"],
  ]
    .filter(([number]) => number !== 0)
    .map(([number, word]) => `${number} ${word}`);
  const head = `${pluralize(totals.runs, "run")} ${PERIODS[period].description}`;
  return parts.length > 0 ? `${head}: ${parts.join(", ")}.` : `${head}.`;
}

/** `$1.20 in the last 24 hours, most at 22 Nov, 14:00–15:00 with $0.80.` */
export function describeCosts(insights: Insights): string {
  const { totals, period } = insights;
  const points = costChartPoints(insights).filter((point) => point.value !== null);
  const highest = points.reduce<LinePoint | undefined>(
    (most, point) => ((point.value ?? 0) > (most?.value ?? 0) ? point : most),
    undefined,
  );
  const head = `${formatKnownCost(totals)} ${PERIODS[period].description}`;
  if (!highest) return `${head}.`;
  return `${head}, most at ${highest.label} with ${currencyFormatter(insights)(highest.value ?? 0)}.`;
}

/** `$1.20`, `at least $1.20` when the price of some runs is unknown, or a dash. */
export function formatKnownCost({
  cost,
  knownCost,
}: {
  cost: Cost | null;
  knownCost: Cost | null;
}): string {
  if (cost) return formatCost(cost);
  return knownCost && Number(knownCost.amount) > 0 ? `at least ${formatCost(knownCost)}` : "–";
}

export function hasCosts({ totals }: Insights): boolean {
  return Number((totals.cost ?? totals.knownCost)?.amount ?? 0) > 0;
}

/** Returns a formatter for amounts in the currency of the insights. */
export function currencyFormatter({ totals }: Insights): (amount: number) => string {
  const currency = (totals.cost ?? totals.knownCost)?.currency ?? "USD";
  return (amount) => formatCost({ amount: String(amount), currency });
}

export interface RankedWorkflow {
  workflow: WorkflowInsight;
  value: number;
  label: string;
}

const MAX_RANKED = 5;

export function slowestWorkflows(workflows: readonly WorkflowInsight[]): RankedWorkflow[] {
  return rankWorkflows(
    workflows,
    (one) => one.medianSeconds,
    (one) => formatDuration((one.medianSeconds ?? 0) * 1000),
  );
}

export function mostExpensiveWorkflows(workflows: readonly WorkflowInsight[]): RankedWorkflow[] {
  return rankWorkflows(
    workflows,
    (one) => Number((one.cost ?? one.knownCost)?.amount ?? 0) || null,
    formatKnownCost,
  );
}

function rankWorkflows(
  workflows: readonly WorkflowInsight[],
  read: (workflow: WorkflowInsight) => number | null,
  formatValue: (workflow: WorkflowInsight) => string,
): RankedWorkflow[] {
  return workflows
    .map((workflow) => ({ workflow, value: read(workflow) ?? 0, label: formatValue(workflow) }))
    .filter((rank) => rank.value > 0)
    .toSorted((one, other) => other.value - one.value)
    .slice(0, MAX_RANKED);
}

/** `83%`; one decimal near 0% and 100%, which are shown only when exact. */
export function formatPercent(value: number | null): string {
  if (value === null) return "–";
  const percent = value * 100;
  const rounded = percent > 99 || percent < 1 ? Math.floor(percent * 10) / 10 : Math.round(percent);
  return `${rounded}%`;
}

const DAY_SECONDS = 86_400;

/** Returns the labels of a bucket that starts at `at`; buckets of a day are in UTC, like the server's. */
export function bucketLabels(
  at: string,
  period: Period,
  seconds: number,
): { label: string; tick: string } {
  const from = new Date(at);
  if (seconds >= DAY_SECONDS) {
    const day = format({ day: "numeric", month: "short", timeZone: "UTC" })(from);
    return { label: `${day} (UTC)`, tick: day };
  }
  const day = format({ day: "numeric", month: "short" })(from);
  const clock = format({ hour: "2-digit", minute: "2-digit" });
  const until = clock(new Date(from.getTime() + seconds * 1000));
  return {
    label: `${day}, ${clock(from)}–${until}`,
    tick: period === "24h" ? clock(from) : day,
  };
}

const formats = new Map<string, (date: Date) => string>();

/** Caches formatters: constructing one is slow. */
function format(options: Intl.DateTimeFormatOptions): (date: Date) => string {
  const name = JSON.stringify(options);
  const cached = formats.get(name);
  if (cached) return cached;
  const formatter = new Intl.DateTimeFormat("en-GB", options);
  const formatDate = (date: Date) => formatter.format(date);
  formats.set(name, formatDate);
  return formatDate;
}
