import type { QuotaLimits, WorkspaceQuotas } from "@/lib/api/types";
import { formatCost } from "@/lib/format";

export interface QuotaItem {
  name: keyof QuotaLimits;
  label: string;
  /** Used and allowed, e.g. `3 of 10`. */
  summary: string;
  /** From 0 to 1; null without a limit, and where nothing is used up. */
  share: number | null;
  /** When the count begins again. */
  note?: string;
}

/** What the tools of runs may contact at most. */
export const NETWORK_LIMITS = {
  any: "as each workflow says",
  listed: "hosts that the workflow lists",
  none: "no host but those of models",
} as const;

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

type QuotasInUse = Pick<WorkspaceQuotas, "limits" | "use"> & Partial<WorkspaceQuotas>;

/** The quotas of a workspace with their use, in the order of the page. */
export function listQuotas({ limits, use, dayEndsAt, monthEndsAt }: QuotasInUse): QuotaItem[] {
  return [
    count("runsAtOnce", "Runs at once", use.runsAtOnce, limits.runsAtOnce),
    {
      ...count("runsPerDay", "Runs today", use.runsToday, limits.runsPerDay),
      ...endNote(dayEndsAt),
    },
    { ...spending(limits, use), ...endNote(monthEndsAt) },
    count("storedMb", "Storage", use.storedMb, limits.storedMb, " MB"),
    {
      name: "keptDays",
      label: "Finished runs are kept",
      summary: limits.keptDays == null ? "until deleted" : `for ${limits.keptDays} days`,
      share: null,
    },
    {
      name: "network",
      label: "Network access of tools",
      summary: NETWORK_LIMITS[limits.network ?? "any"],
      share: null,
    },
  ];
}

function endNote(endsAt: string | undefined) {
  if (endsAt === undefined) return {};
  return { note: `Counts from zero again on ${day.format(new Date(endsAt))}, 00:00 UTC.` };
}

function count(
  name: keyof QuotaLimits,
  label: string,
  used: number,
  limit: number | null | undefined,
  unit = "",
): QuotaItem {
  const amount = number.format(used);
  if (limit == null) return { name, label, summary: `${amount}${unit}, no limit`, share: null };
  return {
    name,
    label,
    summary: `${amount} of ${number.format(limit)}${unit}`,
    share: used / limit,
  };
}

function spending(limits: WorkspaceQuotas["limits"], use: WorkspaceQuotas["use"]): QuotaItem {
  const head = { name: "spendPerMonth", label: "Spent this month" } as const;
  const limit = limits.spendPerMonth;
  const amounts = use.spentThisMonth.map((cost) =>
    cost.currency === limit?.currency
      ? `${formatCost(cost)} of ${formatCost(limit)}`
      : formatCost(cost),
  );
  if (!limit)
    return { ...head, summary: `${amounts.join(", ") || "Nothing"}, no limit`, share: null };
  const counted = use.spentThisMonth.find(({ currency }) => currency === limit.currency);
  const share = Number(counted?.amount ?? 0) / Number(limit.amount);
  return { ...head, summary: amounts.join(", "), share };
}
