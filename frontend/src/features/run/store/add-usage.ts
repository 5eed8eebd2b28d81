import type { Cost, Usage } from "@/lib/api/types";

export const NO_USAGE: Usage = {
  promptTokens: 0,
  completionTokens: 0,
  cachedTokens: 0,
  totalTokens: 0,
  llmCalls: 0,
  toolCalls: 0,
  cost: null,
};

/** Both together, by the server's rule: what is unknown in one is unknown in the sum. */
export function plus(one: Usage, other: Usage): Usage {
  return {
    promptTokens: sum(one.promptTokens, other.promptTokens),
    completionTokens: sum(one.completionTokens, other.completionTokens),
    cachedTokens: sum(one.cachedTokens, other.cachedTokens),
    totalTokens: sum(one.totalTokens, other.totalTokens),
    llmCalls: one.llmCalls + other.llmCalls,
    toolCalls: one.toolCalls + other.toolCalls,
    cost: costOf(one, other),
  };
}

function sum(one: number | null | undefined, other: number | null | undefined): number | null {
  return one == null || other == null ? null : one + other;
}

function costOf(one: Usage, other: Usage): Cost | null {
  // No tokens, no money: a call that failed leaves the sum as it is.
  if (one.totalTokens === 0) return other.cost ?? null;
  if (other.totalTokens === 0) return one.cost ?? null;
  if (!one.cost || !other.cost || one.cost.currency !== other.cost.currency) return null;
  return { amount: addDecimals(one.cost.amount, other.cost.amount), currency: one.cost.currency };
}

/** The exact sum of two decimal texts: money is not counted in binary fractions. */
export function addDecimals(one: string, other: string): string {
  const [left, right] = [written(one), written(other)];
  const places = Math.max(fraction(left).length, fraction(right).length);
  const total = scaled(left, places) + scaled(right, places);
  const digits = String(total).padStart(places + 1, "0");
  if (places === 0) return digits;
  const whole = digits.slice(0, -places);
  const rest = digits.slice(-places).replace(/0+$/, "");
  return rest ? `${whole}.${rest}` : whole;
}

/** Very small amounts come as `1E-7`. */
function written(text: string): string {
  return /e/i.test(text) ? Number(text).toFixed(15) : text;
}

function fraction(text: string): string {
  return text.split(".")[1] ?? "";
}

function scaled(text: string, places: number): bigint {
  const [whole = "0"] = text.split(".");
  return BigInt(whole + fraction(text).padEnd(places, "0"));
}
