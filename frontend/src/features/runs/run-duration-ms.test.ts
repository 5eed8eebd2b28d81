// @vitest-environment node
import { describe, expect, it } from "vitest";

import { runDurationMs } from "./run-duration-ms";
import { runSample } from "./run-sample";

describe("runDurationMs", () => {
  const now = Date.parse("2026-11-22T10:01:01Z");

  it("ends with the run, or now", () => {
    expect(runDurationMs(runSample(), now)).toBe(12_000);
    expect(runDurationMs(runSample({ finishedAt: null }), now)).toBe(60_000);
  });

  it("is null before the start, and never negative when clocks differ", () => {
    expect(runDurationMs(runSample({ startedAt: null }), now)).toBeNull();
    expect(runDurationMs(runSample({ finishedAt: null }), now - 3_600_000)).toBe(0);
  });
});
