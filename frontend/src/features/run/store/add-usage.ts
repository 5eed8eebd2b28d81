import type { Cost, Usage } from "@/lib/api/types";

export const NO_USAGE: Usage = {
  promptTokens: 0,
  completionTokens: 0,
  cachedTokens: 0,
  totalTokens: 0,
  llmCalls: 0,
  toolCalls: 0,
  cost: null,
  callsWithoutUsage: 0,
  callsWithoutCost: 0,
};

/** Adds two usages the way the server does: a sum holds the known values, unknown calls are counted. */
export function addUsage(left: Usage, right: Usage): Usage {
  const isForeign = hasOtherCurrency(left, right);
  return {
    promptTokens: addKnown(left.promptTokens, right.promptTokens),
    completionTokens: addKnown(left.completionTokens, right.completionTokens),
    cachedTokens: addKnown(left.cachedTokens, right.cachedTokens),
    totalTokens: addKnown(left.totalTokens, right.totalTokens),
    llmCalls: left.llmCalls + right.llmCalls,
    toolCalls: left.toolCalls + right.toolCalls,
    cost: addCosts(left, right),
    callsWithoutUsage: left.callsWithoutUsage + right.callsWithoutUsage,
    callsWithoutCost: left.callsWithoutCost + (isForeign ? right.llmCalls : right.callsWithoutCost),
  };
}

function addKnown(
  left: number | null | undefined,
  right: number | null | undefined,
): number | null {
  // A zero before any report is not knowledge.
  if (left == null || right == null) return left || right || null;
  return left + right;
}

function hasOtherCurrency(left: Usage, right: Usage): boolean {
  return !!left.cost && !!right.cost && left.cost.currency !== right.cost.currency;
}

function addCosts(left: Usage, right: Usage): Cost | null {
  if (!left.cost || !right.cost) return left.cost ?? right.cost ?? null;
  if (hasOtherCurrency(left, right)) return left.cost;
  return { amount: addDecimals(left.cost.amount, right.cost.amount), currency: left.cost.currency };
}

/** The exact sum of two decimal strings; floating point would round amounts of money. */
export function addDecimals(left: string, right: string): string {
  const [a, b] = [withoutExponent(left), withoutExponent(right)];
  const places = Math.max(fractionOf(a).length, fractionOf(b).length);
  const total = toScaledInteger(a, places) + toScaledInteger(b, places);
  const digits = String(total).padStart(places + 1, "0");
  if (places === 0) return digits;
  const integer = digits.slice(0, -places);
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return fraction ? `${integer}.${fraction}` : integer;
}

/** The server writes very small amounts as `1E-7`. */
function withoutExponent(decimal: string): string {
  return /e/i.test(decimal) ? Number(decimal).toFixed(15) : decimal;
}

function fractionOf(decimal: string): string {
  return decimal.split(".")[1] ?? "";
}

function toScaledInteger(decimal: string, places: number): bigint {
  const [integer = "0"] = decimal.split(".");
  return BigInt(integer + fractionOf(decimal).padEnd(places, "0"));
}
