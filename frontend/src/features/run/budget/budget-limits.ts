import type { Budget, Run, Usage } from "@/lib/api/types";
import { formatCount, formatDuration, formatCost } from "@/lib/format";

import type { BudgetStop } from "./budget-stop-query";

export type LimitName = keyof Budget;

/** One limit of a budget beside what was used of it. */
export interface Limit {
  name: LimitName;
  /** As a noun: `cost`, `tokens`. */
  noun: string;
  /** In the form's label, with the unit. */
  label: string;
  used: number | null;
  allowed: number;
  /** `$0.50 of $0.50`. */
  words: string;
  /** Whole numbers only. */
  whole: boolean;
}

type Spent = Pick<Run, "budget" | "usage" | "secondsAtWork">;

/** The limits that a run has, each with what was used of it; the order is the server's. */
export function limitsOf({ budget, usage, secondsAtWork }: Spent): Limit[] {
  const currency = usage.cost?.currency ?? "USD";
  const spent = usage.cost ? Number(usage.cost.amount) : null;
  const inMoney = (amount: number) => formatCost({ amount: String(amount), currency });
  const known = [
    limit("maxCost", "cost", `Cost (${currency})`, spent, budget.maxCost, inMoney, false),
    limit("maxTokens", "tokens", "Tokens", tokens(usage), budget.maxTokens, formatCount, true),
    limit(
      "maxLlmCalls",
      "model calls",
      "Model calls",
      usage.llmCalls ?? 0,
      budget.maxLlmCalls,
      String,
      true,
    ),
    limit(
      "maxSeconds",
      "time at work",
      "Seconds at work",
      secondsAtWork,
      budget.maxSeconds,
      seconds,
      false,
    ),
  ];
  return known.filter((one) => one !== null);
}

/** The limit that holds a run up. */
export function limitOf({
  limit,
  budget,
  usage,
  seconds: secondsAtWork,
}: BudgetStop): Limit | undefined {
  return limitsOf({ budget, usage, secondsAtWork }).find(({ name }) => name === limit);
}

/** True when the run itself may spend more than what held it up: then the server's own limit did. */
export function isServersOwn({ name, allowed }: Limit, own: Budget): boolean {
  return own[name] != null && Number(own[name]) > allowed;
}

/** A sensible next limit: twice as much, in round figures. */
export function nextLimit({ allowed, used, whole }: Limit): number {
  const wanted = Math.max(allowed, used ?? 0) * 2;
  return whole ? Math.ceil(wanted) : Number(wanted.toPrecision(3));
}

function limit(
  name: LimitName,
  noun: string,
  label: string,
  used: number | null,
  given: string | number | null | undefined,
  write: (figure: number) => string,
  whole: boolean,
): Limit | null {
  if (given == null) return null;
  const allowed = Number(given);
  const words = `${used === null ? "–" : write(used)} of ${write(allowed)}`;
  return { name, noun, label, used, allowed, words, whole };
}

function tokens(usage: Usage): number | null {
  return usage.totalTokens ?? null;
}

function seconds(figure: number): string {
  return formatDuration(figure * 1000);
}
