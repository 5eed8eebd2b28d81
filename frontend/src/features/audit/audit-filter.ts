/** Filters of the audit log: URL search parameters and API query. */
import type { AuditQuery } from "@/lib/api/types";

export interface AuditSearch {
  /** The id of a person or key, or a kind such as `server-key`. */
  actor?: string;
  operation?: string;
  /** The id of what was changed. */
  target?: string;
  result?: "succeeded" | "refused";
  /** Dates such as `2026-11-22`, both inclusive, in the browser's time zone. */
  since?: string;
  until?: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const PRINTABLE = /[^\x21-\x7e]/g;

export function toAuditQuery(search: AuditSearch): AuditQuery {
  const since = startOfDay(search.since, 0);
  const until = startOfDay(search.until, 1);
  const actor = toFilterText(search.actor);
  const operation = toFilterText(search.operation)?.slice(0, 100);
  const target = toFilterText(search.target);
  return {
    ...(actor ? { actor } : {}),
    ...(operation ? { operation } : {}),
    ...(target ? { target } : {}),
    ...(search.result ? { result: search.result } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  };
}

export function isFiltered(search: AuditSearch): boolean {
  return Object.values(search).some((value) => value !== undefined);
}

/** Ids and names of operations have no spaces: they come from copying. */
function toFilterText(text: string | undefined): string | undefined {
  return text?.replace(PRINTABLE, "").slice(0, 200) || undefined;
}

function startOfDay(day: string | undefined, daysLater: number): string | undefined {
  if (day === undefined || !DAY.test(day)) return undefined;
  const time = new Date(`${day}T00:00:00`);
  if (Number.isNaN(time.getTime())) return undefined;
  time.setDate(time.getDate() + daysLater);
  return time.toISOString();
}
