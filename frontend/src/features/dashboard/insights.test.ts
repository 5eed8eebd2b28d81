// @vitest-environment node
import { describe, expect, it } from "vitest";

import {
  costChartPoints,
  describeCosts,
  formatKnownCost,
  mostExpensiveWorkflows,
  hasCosts,
  formatPercent,
  runChartPoints,
  describeRuns,
  slowestWorkflows,
  bucketLabels,
} from "./insights";
import { bucketSample, workflowSample, insightsSample } from "./samples";

const USD = (amount: string) => ({ amount, currency: "USD" });

describe("chart points", () => {
  it("stack completed, active, stopped and failed runs", () => {
    const buckets = [bucketSample({ completed: 4, active: 3, stopped: 2, failed: 1, crashed: 5 })];
    expect(runChartPoints(insightsSample({ buckets }))[0]?.values).toEqual([4, 3, 2, 6]);
  });

  it("are 0 without runs, the known cost where there is one, and unknown otherwise", () => {
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

describe("descriptions", () => {
  it("count the runs by state", () => {
    expect(describeRuns(insightsSample())).toBe(
      "5 runs in the last 24 hours: 3 completed, 1 failed, 1 active.",
    );
    const { totals } = insightsSample();
    const elsewhere = insightsSample({ totals: { ...totals, runs: 6, activeElsewhere: 1 } });
    expect(describeRuns(elsewhere)).toContain("1 active, 1 active elsewhere.");
    const none = { ...totals, runs: 0, completed: 0, failed: 0, active: 0 };
    expect(describeRuns(insightsSample({ period: "7d", totals: none }))).toBe(
      "0 runs in the last 7 days.",
    );
  });

  it("state the cost and its maximum", () => {
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

  it("is shown only when it is above 0", () => {
    const { totals } = insightsSample();
    const hasKnownCost = (knownCost: ReturnType<typeof USD> | null) =>
      hasCosts(insightsSample({ totals: { ...totals, cost: null, knownCost } }));
    expect(hasKnownCost(USD("0.1"))).toBe(true);
    expect(hasKnownCost(USD("0"))).toBe(false);
    expect(hasKnownCost(null)).toBe(false);
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

  it("put the slowest first and leave out unknown durations", () => {
    const names = slowestWorkflows(workflows).map((rank) => rank.workflow.name);
    expect(names).toEqual(["slow", "w6", "w5", "w4", "w3"]);
    expect(slowestWorkflows(workflows)[0]?.label).toBe("1m 30s");
  });

  it("put the most expensive first and leave out free workflows", () => {
    expect(
      mostExpensiveWorkflows(workflows).map((rank) => [rank.workflow.name, rank.label]),
    ).toEqual([
      ["slow", "at least $10.00"],
      ["quick", "$9.00"],
    ]);
  });
});

describe("formatPercent", () => {
  it.each([
    [null, "–"],
    [0, "0%"],
    [0.004, "0.4%"],
    [0.834, "83%"],
    [0.9999, "99.9%"],
    [1, "100%"],
  ])("formats %s as %s", (value, text) => {
    expect(formatPercent(value)).toBe(text);
  });
});

describe("bucketLabels", () => {
  const local = new Date(2026, 10, 22, 14).toISOString();

  it("label hours by time", () => {
    expect(bucketLabels(local, "24h", 3600)).toEqual({
      label: "22 Nov, 14:00–15:00",
      tick: "14:00",
    });
  });

  it("label quarters of a day by date", () => {
    expect(bucketLabels(local, "7d", 21_600)).toEqual({
      label: "22 Nov, 14:00–20:00",
      tick: "22 Nov",
    });
  });

  it("label days in UTC", () => {
    expect(bucketLabels("2026-11-22T00:00:00Z", "30d", 86_400)).toEqual({
      label: "22 Nov (UTC)",
      tick: "22 Nov",
    });
  });
});
