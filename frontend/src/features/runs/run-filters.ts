/** Filters of the runs list: URL search parameters, API query and labels. */
import type { RunListQuery, RunState } from "@/lib/api/types";
import { runStateLabel } from "@/components/run-status";

export interface RunsSearch {
  status?: RunState[];
  workflow?: string;
  q?: string;
  /** `24h`, `7d`, `30d`, a date such as `2026-11-22`, or a timestamp. */
  since?: string;
  /** A date (inclusive) or a timestamp. */
  until?: string;
}

const HOUR = 3_600_000;

export const PERIODS = [
  { value: "24h", label: "Last 24 hours", description: "in the last 24 hours", hours: 24 },
  { value: "7d", label: "Last 7 days", description: "in the last 7 days", hours: 7 * 24 },
  { value: "30d", label: "Last 30 days", description: "in the last 30 days", hours: 30 * 24 },
] as const;

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Converts the filters to an API query; relative periods end at `now`. */
export function toRunListQuery(search: RunsSearch, now: number): RunListQuery {
  const since = sinceTimestamp(search.since, now);
  const until = untilTimestamp(search.until);
  return {
    ...(search.status?.length ? { status: search.status } : {}),
    ...(search.workflow ? { workflowId: search.workflow } : {}),
    ...(search.q ? { q: search.q.slice(0, 200) } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  };
}

export function isFiltered(search: RunsSearch): boolean {
  return Object.values(search).some((value) => value !== undefined && value.length > 0);
}

/** Returns the selected option of the time filter. */
export function periodOf(search: RunsSearch): "any" | "24h" | "7d" | "30d" | "custom" {
  if (!search.since && !search.until) return "any";
  const preset = PERIODS.find((period) => period.value === search.since);
  return preset && !search.until ? preset.value : "custom";
}

/** `No failed or crashed runs of Daily brief in the last 7 days`. */
export function noRunsMessage(search: RunsSearch, workflowName?: string): string {
  const states = (search.status ?? []).map((state) => runStateLabel(state).replace("…", ""));
  const last = states.pop()?.toLowerCase();
  const kind = last ? [...states.map((word) => word.toLowerCase()), last] : [];
  return [
    "No",
    kind.length > 1 ? `${kind.slice(0, -1).join(", ")} or ${kind.at(-1)}` : kind[0],
    "runs",
    search.workflow && `of ${workflowName ?? "this workflow"}`,
    search.q && `matching “${search.q}”`,
    periodLabel(search),
  ]
    .filter(Boolean)
    .join(" ");
}

function periodLabel(search: RunsSearch): string | undefined {
  const period = periodOf(search);
  if (period === "custom") return "in the selected period";
  return PERIODS.find((one) => one.value === period)?.description;
}

function sinceTimestamp(since: string | undefined, now: number): string | undefined {
  const preset = PERIODS.find((period) => period.value === since);
  if (preset) return new Date(now - preset.hours * HOUR).toISOString();
  return since === undefined ? undefined : toTimestamp(since);
}

function untilTimestamp(until: string | undefined): string | undefined {
  if (until === undefined) return undefined;
  return toTimestamp(until, DAY.test(until) ? 1 : 0);
}

/** Converts a date or time to an ISO timestamp; dates are in the browser's time zone. */
function toTimestamp(text: string, daysLater = 0): string | undefined {
  const time = new Date(DAY.test(text) ? `${text}T00:00:00` : text);
  if (Number.isNaN(time.getTime())) return undefined;
  time.setDate(time.getDate() + daysLater);
  return time.toISOString();
}
