import type { Budget, Run } from "@/lib/api/types";
import { formatCost, formatCount, formatDuration } from "@/lib/format";

import type { BudgetStop } from "./budget-stop-query";

export interface BudgetLimit {
  name: keyof Budget;
  /** For use within a sentence, e.g. `model calls`. */
  noun: string;
  /** Form label with the unit. */
  label: string;
  used: number | null;
  allowed: number;
  /** Used and allowed, e.g. `$0.50 of $0.50`. */
  summary: string;
  isInteger: boolean;
}

type BudgetedRun = Pick<Run, "budget" | "usage" | "secondsAtWork">;

type LimitFields = Pick<BudgetLimit, "name" | "noun" | "label" | "used" | "isInteger"> & {
  format: (value: number) => string;
};

/** The limits set in a budget, each with its usage. */
export function listLimits({ budget, usage, secondsAtWork }: BudgetedRun): BudgetLimit[] {
  const currency = usage.cost?.currency ?? "USD";
  const fields: LimitFields[] = [
    {
      name: "maxCost",
      noun: "cost",
      label: `Cost (${currency})`,
      used: usage.cost ? Number(usage.cost.amount) : null,
      format: (amount) => formatCost({ amount: String(amount), currency }),
      isInteger: false,
    },
    {
      name: "maxTokens",
      noun: "tokens",
      label: "Tokens",
      used: usage.totalTokens ?? null,
      format: formatCount,
      isInteger: true,
    },
    {
      name: "maxLlmCalls",
      noun: "model calls",
      label: "Model calls",
      used: usage.llmCalls ?? 0,
      format: String,
      isInteger: true,
    },
    {
      name: "maxSeconds",
      noun: "active time",
      label: "Active time (seconds)",
      used: secondsAtWork,
      format: (seconds) => formatDuration(seconds * 1000),
      isInteger: false,
    },
  ];
  return fields.flatMap(({ format, ...limit }) => {
    const value = budget[limit.name];
    if (value == null) return [];
    const allowed = Number(value);
    const used = limit.used === null ? "–" : format(limit.used);
    return [{ ...limit, allowed, summary: `${used} of ${format(allowed)}` }];
  });
}

/** The limit that paused a run. */
export function findExceededLimit(stop: BudgetStop): BudgetLimit | undefined {
  const { limit, budget, usage, seconds } = stop;
  return listLimits({ budget, usage, secondsAtWork: seconds }).find(({ name }) => name === limit);
}

/** True if the run's own budget allows more, so that a server-wide limit paused it. */
export function isServerLimit({ name, allowed }: BudgetLimit, runBudget: Budget): boolean {
  return runBudget[name] != null && Number(runBudget[name]) > allowed;
}

/** Twice the current limit, rounded. */
export function suggestLimit({ allowed, used, isInteger }: BudgetLimit): number {
  const doubled = Math.max(allowed, used ?? 0) * 2;
  return isInteger ? Math.ceil(doubled) : Number(doubled.toPrecision(3));
}

/** Returns an error message if the text is not a valid higher limit. */
export function validateLimit(text: string, limit: BudgetLimit): string | undefined {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return "Enter a number.";
  if (limit.isInteger && !Number.isInteger(value)) return "Enter a whole number.";
  const minimum = Math.max(limit.used ?? 0, limit.allowed);
  return value > minimum ? undefined : `Enter a value greater than ${minimum}.`;
}
