import { expect, it } from "vitest";

import type { Run, RunTask } from "@/lib/api/types";

import { remedyFor } from "../detail/suggested-action";
import type { TaskView } from "../store/task-progress";

import { newsBetween } from "./run-announcer";
import { asMarkdown } from "./export-run";
import { shareOf } from "./used-fraction";

function task(key: string, state: TaskView["state"]) {
  return [key, { key, state } as TaskView] as const;
}

it("shows how much of a limit is used", () => {
  expect(shareOf("0.25", "0.50")).toBe(0.5);
  expect(shareOf(30, 20)).toBe(1);
  expect(shareOf(null, 20)).toBeNull();
  expect(shareOf(3, null)).toBeNull();
  expect(shareOf(3, 0)).toBeNull();
});

it("tells of the newest move only", () => {
  const before = {
    status: "running" as const,
    tasks: new Map([task("a", "running"), task("b", "pending")]),
  };
  const now = {
    status: "completed" as const,
    tasks: new Map([task("a", "completed"), task("b", "completed")]),
  };
  expect(newsBetween(before, now)).toBe("Task b: completed. Run completed.");
  expect(newsBetween(now, now)).toBe("");
});

it("knows where a failure is mended", () => {
  expect(remedyFor("provider-auth")).toBe("provider");
  expect(remedyFor("provider-rate-limit")).toBe("resume");
  expect(remedyFor("context-too-long")).toBe("agent");
  expect(remedyFor("guardrail-failed")).toBe("task");
  expect(remedyFor("something new")).toBe("none");
});

it("writes a run as Markdown that its own texts cannot break", () => {
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

  const text = asMarkdown(run, tasks);
  expect(text).toContain("# Bees v3");
  expect(text).toContain("````json");
  expect(text).toContain("## research\n\nBees hum.");
  expect(text).toContain("## draft\n\n(skipped)");
  expect(text).toContain("## Error\n\nIt broke");
});
