// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { TaskProgress } from "../store/task-progress";

import { describeChange } from "./run-announcer";

function taskEntry(key: string, state: TaskProgress["state"]) {
  return [key, { key, state } as TaskProgress] as const;
}

describe("describeChange", () => {
  it("describes only the last task that changed", () => {
    const before = {
      status: "running" as const,
      tasks: new Map([taskEntry("a", "running"), taskEntry("b", "pending")]),
    };
    const after = {
      status: "completed" as const,
      tasks: new Map([taskEntry("a", "completed"), taskEntry("b", "completed")]),
    };
    expect(describeChange(before, after)).toBe("Task b: completed. Run completed.");
    expect(describeChange(after, after)).toBe("");
  });
});
