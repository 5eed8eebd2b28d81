// @vitest-environment node
import { expect, it } from "vitest";

import type { Approval } from "@/lib/api/types";

import { attentionEntries } from "./attention-entries";
import { runSample } from "./samples";

const approval: Approval = {
  id: "apr_1",
  runId: "run_w",
  kind: "review",
  taskKey: "review",
  prompt: "",
  agent: "Reviewer",
  output: "Approve the brief?\nIt says…",
  tool: null,
  arguments: null,
  parameters: null,
  editedArguments: null,
  forRun: false,
  status: "open",
  feedback: null,
  resolvedBy: null,
  resolvedByName: null,
  createdAt: "2026-11-22T10:00:00Z",
  expiresAt: "2026-11-23T10:00:00Z",
  resolvedAt: null,
  assignedRole: null,
  assignedPersonId: null,
  assignedPersonName: null,
  isMine: true,
  mayAnswer: true,
};

it("puts approval requests first, then budgets, then failures", () => {
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
    ["approval", "run_w", "Market research: Reviewer requests approval", "Approve the brief?"],
    ["budget", "run_b", "Market research", "Raise the budget to continue the run"],
    ["failed", "run_f", "Market research", "No key."],
    ["crashed", "run_c", "Market research", "No error message"],
  ]);
});

it("names the task when there is no agent, and omits an unknown workflow", () => {
  const [entry] = attentionEntries([{ ...approval, agent: null }], [], []);
  expect(entry?.title).toBe("review requests approval");
});
