// @vitest-environment node
import { describe, expect, it } from "vitest";

import { ApiProblem, ServerUnreachable } from "@/lib/api/problem";

import { sampleApproval } from "../testing/run-fixtures";

import { expiryLabel, outcomeLabel, resolveErrorMessage } from "./approval-labels";

describe("outcomeLabel", () => {
  it.each([
    [{ status: "approved", resolvedByName: "Ada" }, "Approved by Ada"],
    [{ status: "revised", resolvedByName: "Ada" }, "Sent back to writer by Ada"],
    [{ status: "revised", agent: null }, "Sent back to the agent"],
    [{ status: "rejected" }, "Rejected"],
    [{ status: "expired" }, "Expired without an answer"],
    [{ status: "cancelled" }, "Cancelled because the run ended"],
    [{ kind: "question", status: "answered", resolvedByName: "Ada" }, "Answered by Ada"],
    [{ kind: "question" }, "Waiting for an answer"],
  ] as const)("describes %j as %s", (change, label) => {
    expect(outcomeLabel(sampleApproval(change), true)).toBe(label);
  });
});

describe("expiryLabel", () => {
  it.each([
    ["2026-11-22T13:05:00Z", "Expires in 3h 5m"],
    ["2026-11-22T10:00:30Z", "Expires in less than a minute"],
    ["2026-11-22T10:00:00Z", "Expired"],
  ])("describes an expiry at %s as %s", (expiresAt, label) => {
    const now = Date.parse("2026-11-22T10:00:00Z");
    expect(expiryLabel(sampleApproval({ expiresAt }), now)).toBe(label);
  });
});

describe("resolveErrorMessage", () => {
  it("explains conflicts, expiry, missing scopes and lost connections", () => {
    const conflict = new ApiProblem(409, { detail: "This was approved by ada already." });
    expect(resolveErrorMessage(conflict)).toMatchObject({ title: "Already answered" });
    expect(resolveErrorMessage(conflict).detail).toContain("by ada");
    expect(resolveErrorMessage(new ApiProblem(410, {})).detail).toContain(
      "Resume it to request approval again",
    );
    expect(resolveErrorMessage(new ApiProblem(403, {})).detail).toContain("approvals:write");
    expect(resolveErrorMessage(new ServerUnreachable(null)).title).toBe("No connection");
  });
});
