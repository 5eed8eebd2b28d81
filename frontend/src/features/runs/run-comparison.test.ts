// @vitest-environment node
import { describe, expect, it } from "vitest";

import {
  compareMetrics,
  changeKind,
  outputLabel,
  pathLabel,
  valueText,
  withoutDuplicateResult,
  type MetricComparison,
} from "./run-comparison";
import { runSample } from "./run-sample";

const usage = runSample().usage;

function tokens(totalTokens: number) {
  return runSample({ usage: { ...usage, totalTokens } });
}

function tokenChange(a: number, b: number) {
  return row("Tokens", compareMetrics({ a: tokens(a), b: tokens(b) }))?.change;
}

function row(name: string, rows: MetricComparison[]): MetricComparison | undefined {
  return rows.find((one) => one.name === name);
}

describe("changeKind", () => {
  it.each([
    [{ a: 1, b: 2 }, "differs"],
    [{ a: null, b: 2 }, "only-b"],
    [{ a: "x", b: null }, "only-a"],
    [{ a: 0, b: "" }, "differs"],
    [{ a: false, b: true }, "differs"],
  ])("classifies %o as %s", (change, kind) => {
    expect(changeKind({ path: "/x", ...change })).toBe(kind);
  });
});

describe("pathLabel", () => {
  const definition = {
    agents: [{ key: "researcher" }],
    tasks: [{ key: "research" }, { key: "draft" }],
  } as never;

  it("names agents and tasks by their keys", () => {
    expect(pathLabel("/tasks/1/expectedOutput", definition)).toBe(
      "tasks › draft › expected output",
    );
    expect(pathLabel("/agents/0/goal", definition)).toBe("agents › researcher › goal");
  });

  it("numbers members without a key from one", () => {
    expect(pathLabel("/tasks/4/description", definition)).toBe("tasks › no. 5 › description");
    expect(pathLabel("/tasks/0")).toBe("tasks › no. 1");
  });

  it("labels the root", () => {
    expect(pathLabel("/")).toBe("entire value");
  });
});

describe("outputLabel and withoutDuplicateResult", () => {
  it.each([
    ["/raw", "Result"],
    ["/jsonOutput/items/0", "Result as JSON"],
    ["/tasks/draft/raw", "Task draft"],
    ["/tasks/draft/json_output/title", "Task draft › json output › title"],
    ["/", "Result"],
  ])("labels %s as %s", (path, label) => {
    expect(outputLabel(path)).toBe(label);
  });

  it("drop the result when a task has the same change", () => {
    const changes = [
      { path: "/raw", a: "one", b: "two" },
      { path: "/tasks/draft/raw", a: "one", b: "two" },
      { path: "/tasks/research/raw", a: "x", b: "y" },
    ];
    expect(withoutDuplicateResult(changes).map((one) => one.path)).toEqual([
      "/tasks/draft/raw",
      "/tasks/research/raw",
    ]);
    expect(withoutDuplicateResult(changes.slice(0, 1))).toHaveLength(1);
  });
});

describe("compareMetrics", () => {
  it("describes the change from a to b", () => {
    const b = runSample({
      usage: { ...usage, totalTokens: 2700, llmCalls: 3, toolCalls: 4 },
      finishedAt: "2026-11-22T10:00:07Z",
    });
    const rows = compareMetrics({ a: runSample(), b });
    expect(row("Tokens", rows)).toMatchObject({
      direction: "more",
      change: "100% more",
      b: "2.7K",
    });
    expect(row("Duration", rows)).toMatchObject({
      direction: "less",
      change: "50% less",
      a: "12.0 s",
    });
    expect(row("Model calls", rows)).toMatchObject({ direction: "same", change: "no change" });
    expect(row("Tool calls", rows)).toMatchObject({ direction: "more", change: "more" });
    expect(row("Cost", rows)).toMatchObject({ direction: "same", a: "$0.031" });
  });

  it("compares neither unknown values nor costs in different currencies", () => {
    const b = runSample({
      usage: { ...usage, totalTokens: null, cost: { amount: "0.031", currency: "EUR" } },
      finishedAt: null,
    });
    const rows = compareMetrics({ a: runSample(), b });
    for (const name of ["Duration", "Cost", "Tokens"]) {
      expect(row(name, rows)).toMatchObject({ direction: "unknown" });
    }
    expect(row("Tokens", rows)?.b).toBe("–");
  });

  it("describes tiny and huge changes in words", () => {
    expect(tokenChange(10_000, 10_001)).toBe("slightly more");
    expect(tokenChange(10, 500)).toBe("50 times");
  });
});

it("formats strings as text and other values as JSON", () => {
  expect(valueText("a\nb")).toBe("a\nb");
  expect(valueText({ a: 1 })).toBe('{\n  "a": 1\n}');
  expect(valueText(false)).toBe("false");
  expect(valueText(null)).toBeNull();
});
