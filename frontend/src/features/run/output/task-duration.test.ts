// @vitest-environment node
import { describe, expect, it } from "vitest";

import { sampleTask } from "../testing/run-fixtures";

import { newestOutputTask, taskDuration } from "./task-duration";

describe("newestOutputTask", () => {
  it("returns the task with an output that finished last, in any order", () => {
    const tasks = [
      sampleTask({ key: "a", finishedAt: "2026-11-22T10:00:09Z" }),
      sampleTask({ key: "b", finishedAt: "2026-11-22T10:00:03Z" }),
      sampleTask({ key: "c", result: null, finishedAt: "2026-11-22T10:00:20Z" }),
    ];
    expect(newestOutputTask(tasks)).toBe("a");
    expect(newestOutputTask([])).toBeUndefined();
  });
});

describe("taskDuration", () => {
  it("is null while a time is missing", () => {
    expect(taskDuration(sampleTask())).toBe(2000);
    expect(taskDuration(sampleTask({ startedAt: null }))).toBeNull();
  });
});
