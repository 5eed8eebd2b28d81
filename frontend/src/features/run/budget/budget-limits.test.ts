// @vitest-environment node
import { describe, expect, it } from "vitest";

import { sampleRun, USAGE } from "../testing/run-fixtures";

import {
  findExceededLimit,
  isServerLimit,
  listLimits,
  suggestLimit,
  validateLimit,
} from "./budget-limits";

const BUDGET = { maxCost: "0.50", maxTokens: 4000, maxLlmCalls: 2, maxSeconds: 90 };

function onlyLimit(budget: object) {
  const [limit] = listLimits({ budget, usage: USAGE, secondsAtWork: 12 });
  if (!limit) throw new Error("no limit");
  return limit;
}

describe("listLimits", () => {
  it("lists each limit with its usage", () => {
    const run = sampleRun({ budget: BUDGET, secondsAtWork: 84 });
    expect(listLimits(run).map(({ label, summary }) => [label, summary])).toEqual([
      ["Cost (USD)", "$0.50 of $0.50"],
      ["Tokens", "1K of 4K"],
      ["Model calls", "2 of 2"],
      ["Active time (seconds)", "1m 24s of 1m 30s"],
    ]);
    expect(listLimits(sampleRun())).toEqual([]);
  });

  it("shows unknown usage as a dash", () => {
    const usage = { ...USAGE, cost: null, totalTokens: null };
    const limits = listLimits({ budget: BUDGET, usage, secondsAtWork: 1 });
    expect(limits.slice(0, 2).map(({ summary }) => summary)).toEqual(["– of $0.50", "– of 4K"]);
  });
});

describe("findExceededLimit", () => {
  it("returns the limit named by the server", () => {
    const stop = { limit: "maxLlmCalls", budget: BUDGET, usage: USAGE, seconds: 3 } as const;
    expect(findExceededLimit(stop)?.summary).toBe("2 of 2");
    expect(findExceededLimit({ ...stop, budget: {} })).toBeUndefined();
  });
});

describe("isServerLimit", () => {
  it("is true if the run's own limit is higher", () => {
    const limit = onlyLimit({ maxLlmCalls: 2 });
    expect(isServerLimit(limit, { maxLlmCalls: 50 })).toBe(true);
    expect(isServerLimit(limit, { maxLlmCalls: 2 })).toBe(false);
    expect(isServerLimit(limit, {})).toBe(false);
  });
});

describe("suggestLimit", () => {
  it.each([
    [{ maxCost: "0.50" }, 1],
    [{ maxCost: "0.333" }, 1],
    [{ maxTokens: 901 }, 2000],
    [{ maxLlmCalls: 2 }, 4],
  ])("after %j suggests %d", (budget, suggestion) => {
    expect(suggestLimit(onlyLimit(budget))).toBe(suggestion);
  });
});

describe("validateLimit", () => {
  it("requires a number above the current usage and limit", () => {
    const calls = onlyLimit({ maxLlmCalls: 2 });
    for (const text of ["", "  ", "ten"]) {
      expect(validateLimit(text, calls)).toBe("Enter a number.");
    }
    expect(validateLimit("2.5", calls)).toBe("Enter a whole number.");
    for (const text of ["-1", "0", "2"]) {
      expect(validateLimit(text, calls)).toMatch(/greater than 2/);
    }
    expect(validateLimit("3", calls)).toBeUndefined();
    expect(validateLimit("0.75", onlyLimit({ maxCost: "0.5" }))).toBeUndefined();
  });
});
