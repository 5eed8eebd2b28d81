import { expect, test } from "vitest";

import { ApiProblem, ServerUnreachable } from "@/lib/api/problem";

import { expiry, outcome, refusal } from "./approval-labels";
import { sampleApproval } from "../testing/run-fixtures";

test.each([
  [{ status: "approved", resolvedBy: "ada" }, "Approved by ada"],
  [{ status: "revised", resolvedBy: "ada" }, "Sent back to writer by ada"],
  [{ status: "revised", agent: null }, "Sent back to the agent"],
  [{ status: "rejected" }, "Rejected"],
  [{ status: "expired" }, "Nobody answered in time"],
  [{ status: "cancelled" }, "Withdrawn: the run ended before it was answered"],
] as const)("%j reads %s", (change, words) => {
  expect(outcome(sampleApproval(change))).toBe(words);
});

test.each([
  ["2026-11-22T13:05:00Z", "Expires in 3h 5m"],
  ["2026-11-22T10:00:30Z", "Expires in less than a minute"],
  ["2026-11-22T10:00:00Z", "Its time is over"],
])("a question until %s: %s", (expiresAt, words) => {
  expect(expiry(sampleApproval({ expiresAt }), Date.parse("2026-11-22T10:00:00Z"))).toBe(words);
});

test("refusals are told in plain words", () => {
  const taken = new ApiProblem(409, { detail: "This was approved by ada already." });
  expect(refusal(taken)).toMatchObject({ title: "Somebody has answered already" });
  expect(refusal(taken).detail).toContain("by ada");
  expect(refusal(new ApiProblem(410, {})).detail).toContain("Resume it to be asked again");
  expect(refusal(new ApiProblem(403, {})).detail).toContain("approvals:write");
  expect(refusal(new ServerUnreachable(null)).title).toBe("No connection");
});
