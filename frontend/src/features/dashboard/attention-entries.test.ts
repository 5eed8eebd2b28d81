import { expect, it } from "vitest";

import type { Approval } from "@/lib/api/types";

import { attentionEntries } from "./attention-entries";
import { runSample } from "./samples";

const approval: Approval = {
  id: "apr_1",
  runId: "run_w",
  taskKey: "review",
  agent: "Reviewer",
  output: "Approve the brief?\nIt says…",
  status: "open",
  feedback: null,
  resolvedBy: null,
  createdAt: "2026-11-22T10:00:00Z",
  expiresAt: "2026-11-23T10:00:00Z",
  resolvedAt: null,
};

it("puts questions first, then budgets, then failures", () => {
  const found = attentionEntries(
    [approval],
    [
      runSample({ id: "run_w", status: "waiting", waitReason: "human-input" }),
      runSample({ id: "run_b", status: "waiting", waitReason: "budget" }),
    ],
    [
      runSample({ id: "run_f", status: "failed", error: { code: "x", message: "No key." } }),
      runSample({ id: "run_c", status: "crashed" }),
    ],
  );

  expect(found.map((one) => [one.kind, one.runId, one.title, one.detail])).toEqual([
    ["question", "run_w", "Market research: Reviewer asks", "Approve the brief?"],
    ["budget", "run_b", "Market research", "Its budget is used up; raise it to go on"],
    ["failed", "run_f", "Market research", "No key."],
    ["crashed", "run_c", "Market research", "It ended without a word"],
  ]);
});

it("names the task when no agent asks, and does without the workflow's name", () => {
  const [question] = attentionEntries([{ ...approval, agent: null }], [], []);
  expect(question?.title).toBe("review asks");
});
