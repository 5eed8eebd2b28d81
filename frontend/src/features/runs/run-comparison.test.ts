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

function tokenWords(a: number, b: number) {
  return row("Tokens", compareMetrics({ a: tokens(a), b: tokens(b) }))?.change;
}

function row(name: string, rows: MetricComparison[]): MetricComparison | undefined {
  return rows.find((one) => one.name === name);
}

describe("kindOf", () => {
  it.each([
    [{ a: 1, b: 2 }, "differs"],
    [{ a: null, b: 2 }, "only-b"],
    [{ a: "x", b: null }, "only-a"],
    [{ a: 0, b: "" }, "differs"],
    [{ a: false, b: true }, "differs"],
  ])("tells %o as %s", (change, kind) => {
    expect(changeKind({ path: "/x", ...change })).toBe(kind);
  });
});

describe("pathWords", () => {
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

  it("counts from one where there is no key", () => {
    expect(pathLabel("/tasks/4/description", definition)).toBe("tasks › no. 5 › description");
    expect(pathLabel("/tasks/0")).toBe("tasks › no. 1");
  });

  it("has a word for the whole", () => {
    expect(pathLabel("/")).toBe("everything");
  });
});

describe("outputs", () => {
  it.each([
    ["/raw", "Result"],
    ["/jsonOutput/items/0", "Result as JSON"],
    ["/tasks/draft/raw", "Task draft"],
    ["/tasks/draft/json_output/title", "Task draft › json output › title"],
    ["/", "Result"],
  ])("names %s %s", (path, words) => {
    expect(outputLabel(path)).toBe(words);
  });

  it("do not tell the last task's text twice", () => {
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

describe("figures", () => {
  it("say how b stands to a", () => {
    const b = runSample({
      usage: { ...usage, totalTokens: 2700, llmCalls: 3, toolCalls: 4 },
      finishedAt: "2026-11-22T10:00:07Z",
    });
    const rows = compareMetrics({ a: runSample(), b });
    expect(row("Tokens", rows)).toMatchObject({ verdict: "more", words: "100 % more", b: "2.7K" });
    expect(row("Time", rows)).toMatchObject({ verdict: "less", words: "50 % less", a: "12.0 s" });
    expect(row("Model calls", rows)).toMatchObject({ verdict: "same", words: "same" });
    expect(row("Tool calls", rows)).toMatchObject({ verdict: "more", words: "more" });
    expect(row("Cost", rows)).toMatchObject({ verdict: "same", a: "$0.031" });
  });

  it("do not compare what is unknown, or money of two kinds", () => {
    const b = runSample({
      usage: { ...usage, totalTokens: null, cost: { amount: "0.031", currency: "EUR" } },
      finishedAt: null,
    });
    const rows = compareMetrics({ a: runSample(), b });
    for (const name of ["Time", "Cost", "Tokens"]) {
      expect(row(name, rows)).toMatchObject({ verdict: "unknown" });
    }
    expect(row("Tokens", rows)?.b).toBe("–");
  });

  it("do not call a small change none, nor a large one a percentage", () => {
    expect(tokenWords(10_000, 10_001)).toBe("slightly more");
    expect(tokenWords(10, 500)).toBe("50 times");
  });
});

it("shows values as text, and JSON", () => {
  expect(valueText("a\nb")).toBe("a\nb");
  expect(valueText({ a: 1 })).toBe('{\n  "a": 1\n}');
  expect(valueText(false)).toBe("false");
  expect(valueText(null)).toBeNull();
});
