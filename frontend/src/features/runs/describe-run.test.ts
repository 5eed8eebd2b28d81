// @vitest-environment node
import { describe, expect, it } from "vitest";

import { describeRun } from "./describe-run";
import { runSample } from "./run-sample";

describe("describeRun", () => {
  it("prefers the error", () => {
    const error = { code: "provider-auth", message: "The key is wrong.\nTrace…" };
    expect(describeRun(runSample({ status: "failed", error, metadata: { ticket: 1 } }))).toEqual({
      text: "The key is wrong.",
      tone: "err",
    });
  });

  it.each([
    ["budget", "Budget exceeded"],
    ["human-input", "Waiting for human input"],
    [null, "Waiting"],
  ] as const)("names the wait reason %s", (waitReason, text) => {
    expect(describeRun(runSample({ status: "waiting", waitReason }))).toEqual({
      text,
      tone: "warn",
    });
  });

  it("falls back to the metadata", () => {
    expect(describeRun(runSample({ metadata: { ticket: "OPS-1", try: 2 } }))).toEqual({
      text: "ticket: OPS-1 · try: 2",
      tone: "faint",
    });
    expect(describeRun(runSample())).toBeNull();
  });
});
