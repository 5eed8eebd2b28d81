import { expect, test } from "vitest";

import { mistake } from "./budget-banner";
import { isServersOwn, limitOf, limitsOf, nextLimit } from "./budget-limits";
import { sampleRun, USAGE } from "../testing/run-fixtures";

const BUDGET = { maxCost: "0.50", maxTokens: 4000, maxLlmCalls: 2, maxSeconds: 90 };

function only(budget: object) {
  const [limit] = limitsOf({ budget, usage: USAGE, secondsAtWork: 12 });
  if (!limit) throw new Error("no limit");
  return limit;
}

test("each limit is told with what was used of it", () => {
  const run = sampleRun({ budget: BUDGET, secondsAtWork: 84 });
  expect(limitsOf(run).map(({ label, words }) => [label, words])).toEqual([
    ["Cost (USD)", "$0.50 of $0.50"],
    ["Tokens", "1K of 4K"],
    ["Model calls", "2 of 2"],
    ["Seconds at work", "1m 24s of 1m 30s"],
  ]);
  expect(limitsOf(sampleRun())).toEqual([]);
});

test("an unknown figure is a dash, not nothing", () => {
  const usage = { ...USAGE, cost: null, totalTokens: null };
  const words = limitsOf({ budget: BUDGET, usage, secondsAtWork: 1 }).map((one) => one.words);
  expect(words.slice(0, 2)).toEqual(["– of $0.50", "– of 4K"]);
});

test("the limit that stopped the run is the one that the server names", () => {
  const stop = { limit: "maxLlmCalls", budget: BUDGET, usage: USAGE, seconds: 3 } as const;
  expect(limitOf(stop)?.words).toBe("2 of 2");
  expect(limitOf({ ...stop, budget: {} })).toBeUndefined();
});

test("a limit below the run's own is the server's", () => {
  const limit = only({ maxLlmCalls: 2 });
  expect(isServersOwn(limit, { maxLlmCalls: 50 })).toBe(true);
  expect(isServersOwn(limit, { maxLlmCalls: 2 })).toBe(false);
  expect(isServersOwn(limit, {})).toBe(false);
});

test.each([
  [{ maxCost: "0.50" }, 1],
  [{ maxCost: "0.333" }, 1],
  [{ maxTokens: 901 }, 2000],
  [{ maxLlmCalls: 2 }, 4],
])("after %j comes %d", (budget, next) => {
  expect(nextLimit(only(budget))).toBe(next);
});

test("a new limit must leave room", () => {
  const calls = only({ maxLlmCalls: 2 });
  for (const text of ["", "  ", "ten"]) expect(mistake(text, calls)).toBe("Enter a number.");
  expect(mistake("2.5", calls)).toBe("Enter a whole number.");
  for (const text of ["-1", "0", "2"]) expect(mistake(text, calls)).toMatch(/more than 2/);
  expect(mistake("3", calls)).toBeUndefined();
  expect(mistake("0.75", only({ maxCost: "0.5" }))).toBeUndefined();
});
