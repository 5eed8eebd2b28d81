import { expect, it } from "vitest";

import type { Run, RunTask } from "@/lib/api/types";

import { runToMarkdown } from "./export-run";

it("writes a run as Markdown, with fences longer than any in its values", () => {
  const run = {
    id: "run_1",
    workflowName: "Bees",
    workflowVersion: 3,
    status: "failed",
    startedAt: "2026-11-22T10:00:00Z",
    finishedAt: null,
    usage: { totalTokens: 10, cost: null },
    inputs: { code: "```\nx\n```" },
    error: { code: "x", message: "It broke" },
  } as unknown as Run;
  const tasks = [
    { key: "research", status: "completed", result: { raw: "Bees hum." } },
    { key: "draft", status: "skipped", result: null },
  ] as unknown as RunTask[];

  const text = runToMarkdown(run, tasks);
  expect(text).toContain("# Bees v3");
  expect(text).toContain("````json");
  expect(text).toContain("## research\n\nBees hum.");
  expect(text).toContain("## draft\n\n(skipped)");
  expect(text).toContain("## Error\n\nIt broke");
});
