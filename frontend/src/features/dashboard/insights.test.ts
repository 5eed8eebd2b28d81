import { describe, expect, it } from "vitest";

import {
  costChartPoints,
  describeCosts,
  formatKnownCost,
  dearest,
  hasCosts,
  formatPercent,
  runChartPoints,
  describeRuns,
  slowestWorkflows,
  bucketLabels,
} from "./insights";
import { bucketSample, workflowSample, insightsSample } from "./samples";

const USD = (amount: string) => ({ amount, currency: "USD" });

describe("points", () => {
  it("stack completed, at work, stopped and what went wrong", () => {
    const buckets = [bucketSample({ completed: 4, active: 3, stopped: 2, failed: 1, crashed: 5 })];
    expect(runChartPoints(insightsSample({ buckets }))[0]?.values).toEqual([4, 3, 2, 6]);
  });

  it("cost nothing where nothing ran, what is known where it is, and else are unknown", () => {
    const buckets = [
      bucketSample(),
      bucketSample({ completed: 1, cost: USD("0.2"), knownCost: USD("0.2") }),
      bucketSample({ completed: 2, cost: null, knownCost: USD("0.1") }),
      bucketSample({ completed: 1 }),
    ];
    const values = costChartPoints(insightsSample({ buckets })).map((point) => point.value);
    expect(values).toEqual([0, 0.2, 0.1, null]);
  });
});

describe("sentences", () => {
  it("count the runs by what became of them", () => {
    expect(describeRuns(insightsSample())).toBe(
      "5 runs in the last 24 hours: 3 completed, 1 failed, 1 at work.",
    );
    const { totals } = insightsSample();
    const none = { ...totals, runs: 0, completed: 0, failed: 0, active: 0 };
    expect(describeRuns(insightsSample({ period: "7d", totals: none }))).toBe(
      "0 runs in the last 7 days.",
    );
  });

  it("tell the cost and where most of it arose", () => {
    expect(describeCosts(insightsSample())).toMatch(
      /^\$0\.50 in the last 24 hours, most at 22 Nov, \d\d:00–\d\d:00 with \$0\.50\.$/,
    );
  });
});

describe("cost", () => {
  it("is a lower bound while some of it is unknown", () => {
    expect(formatKnownCost({ cost: USD("1.2"), knownCost: USD("1.2") })).toBe("$1.20");
    expect(formatKnownCost({ cost: null, knownCost: USD("1.2") })).toBe("at least $1.20");
    expect(formatKnownCost({ cost: null, knownCost: null })).toBe("–");
    expect(formatKnownCost({ cost: null, knownCost: USD("0") })).toBe("–");
  });

  it("is drawn only when there is any", () => {
    const { totals } = insightsSample();
    const costing = (knownCost: ReturnType<typeof USD> | null) =>
      hasCosts(insightsSample({ totals: { ...totals, cost: null, knownCost } }));
    expect(costing(USD("0.1"))).toBe(true);
    expect(costing(USD("0"))).toBe(false);
    expect(costing(null)).toBe(false);
  });
});

describe("rankings", () => {
  const workflows = [
    workflowSample({ name: "quick", medianSeconds: 2, cost: USD("9") }),
    workflowSample({ name: "slow", medianSeconds: 90, cost: null, knownCost: USD("10") }),
    workflowSample({ name: "unknown", medianSeconds: null, cost: null, knownCost: null }),
    ...[3, 4, 5, 6].map((seconds) =>
      workflowSample({ name: `w${seconds}`, medianSeconds: seconds, cost: USD("0") }),
    ),
  ];

  it("put the slowest first, and leave out what is unknown", () => {
    const names = slowestWorkflows(workflows).map((rank) => rank.workflow.name);
    expect(names).toEqual(["slow", "w6", "w5", "w4", "w3"]);
    expect(slowestWorkflows(workflows)[0]?.label).toBe("1m 30s");
  });

  it("put the dearest first, and leave out what cost nothing", () => {
    expect(dearest(workflows).map((rank) => [rank.workflow.name, rank.label])).toEqual([
      ["slow", "at least $10.00"],
      ["quick", "$9.00"],
    ]);
  });
});

describe("rate", () => {
  it.each([
    [null, "–"],
    [0, "0 %"],
    [0.004, "0.4 %"],
    [0.834, "83 %"],
    [0.9999, "99.9 %"],
    [1, "100 %"],
  ])("says %s as %s: never all when one failed", (value, words) => {
    expect(formatPercent(value)).toBe(words);
  });
});

describe("timeWords", () => {
  const local = new Date(2026, 10, 22, 14).toISOString();

  it("name hours by the clock", () => {
    expect(bucketLabels(local, "24h", 3600)).toEqual({
      label: "22 Nov, 14:00–15:00",
      tick: "14:00",
    });
  });

  it("name quarters of a day by the day", () => {
    expect(bucketLabels(local, "7d", 21_600)).toEqual({
      label: "22 Nov, 14:00–20:00",
      tick: "22 Nov",
    });
  });

  it("name whole days as the server counts them", () => {
    expect(bucketLabels("2026-11-22T00:00:00Z", "30d", 86_400)).toEqual({
      label: "22 Nov (UTC)",
      tick: "22 Nov",
    });
  });
});
