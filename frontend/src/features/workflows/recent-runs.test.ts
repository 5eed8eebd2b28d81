// @vitest-environment node
import { expect, test } from "vitest";

import { describeRecentRuns } from "./recent-runs";

const run = (status: "completed" | "failed") => ({ id: "r", seconds: 1, status });

test("describeRecentRuns counts runs by state", () => {
  expect(describeRecentRuns([run("completed"), run("failed"), run("completed")])).toBe(
    "Last 3 runs: 2 completed, 1 failed",
  );
});
