import { expect, it } from "vitest";

import { approvalKeys } from "@/lib/queries/approvals";
import { runKeys } from "@/lib/queries/runs";

import { staleQueryKeys } from "./use-invalidate-on-events";

const STATE = {
  status: "running" as const,
  tasks: new Map(),
  messageVersion: 0,
  approvalVersion: 0,
  artifactVersion: 0,
  budgetVersion: 0,
};

it("invalidates only the queries that an event affects", () => {
  const keysAfter = (change: Partial<typeof STATE>) =>
    staleQueryKeys("run_1", STATE, { ...STATE, ...change });
  expect(keysAfter({})).toEqual([]);
  expect(keysAfter({ messageVersion: 1 })).toEqual([runKeys.messages("run_1")]);
  expect(keysAfter({ artifactVersion: 1 })).toEqual([runKeys.artifacts("run_1")]);
  expect(keysAfter({ tasks: new Map() })).toEqual([runKeys.tasks("run_1")]);
  expect(keysAfter({ budgetVersion: 1 })).toEqual([runKeys.detail("run_1")]);
  expect(keysAfter({ approvalVersion: 1 })).toEqual([
    approvalKeys.forRun("run_1"),
    approvalKeys.open(),
  ]);
  expect(staleQueryKeys("run_1", STATE, { ...STATE, status: "completed" })).toEqual(
    expect.arrayContaining([runKeys.detail("run_1"), runKeys.tasks("run_1")]),
  );
});
