import { describe, expect, it } from "vitest";

import { runDurationMs, runNote } from "./run-summary";
import { runSample } from "./run-sample";

describe("remark", () => {
  it("is the error before anything else", () => {
    const error = { code: "provider-auth", message: "The key is wrong.\nTrace…" };
    expect(runNote(runSample({ status: "failed", error, metadata: { ticket: 1 } }))).toEqual({
      text: "The key is wrong.",
      tone: "err",
    });
  });

  it.each([
    ["budget", "Its budget is used up"],
    ["human-input", "Waits for an answer"],
    [null, "Waits"],
  ] as const)("says what a run waits for: %s", (waitReason, text) => {
    expect(runNote(runSample({ status: "waiting", waitReason }))).toEqual({ text, tone: "warn" });
  });

  it("is the metadata else, or nothing", () => {
    expect(runNote(runSample({ metadata: { ticket: "OPS-1", try: 2 } }))).toEqual({
      text: "ticket: OPS-1 · try: 2",
      tone: "faint",
    });
    expect(runNote(runSample())).toBeNull();
  });
});

describe("elapsed", () => {
  const now = Date.parse("2026-11-22T10:01:01Z");

  it("ends with the run, or now", () => {
    expect(runDurationMs(runSample(), now)).toBe(12_000);
    expect(runDurationMs(runSample({ finishedAt: null }), now)).toBe(60_000);
  });

  it("is unknown before the start, and never below zero when clocks differ", () => {
    expect(runDurationMs(runSample({ startedAt: null }), now)).toBeNull();
    expect(runDurationMs(runSample({ finishedAt: null }), now - 3_600_000)).toBe(0);
  });
});
