import { expect, test } from "vitest";

import { approvalKeys } from "@/lib/queries/approvals";
import { runKeys } from "@/lib/queries/runs";

import type { Span } from "../store/span";

import { deepestFailure, isOfProvider } from "../banners/find-failed-span";
import { inputsOf } from "./list-inputs";
import { sampleRun, sampleTask } from "../testing/run-fixtures";
import { newestDone, timeTaken } from "../output/task-duration";
import { outdated } from "../banners/use-invalidate-on-events";

const span = (id: string, state: Span["state"], depth: number, order: number) =>
  ({ id, state, depth, order }) as Span;

test("the step to open is the deepest failed one, the newest of several", () => {
  const spans = [
    span("task", "failed", 0, 1),
    span("call-1", "failed", 2, 3),
    span("call-2", "failed", 2, 4),
    span("mended", "retried", 3, 5),
  ];
  expect(deepestFailure(spans)?.id).toBe("call-2");
  expect(deepestFailure([span("fine", "ok", 0, 1)])).toBeUndefined();
});

test("only faults of providers and models are mended there", () => {
  expect(isOfProvider({ code: "provider-auth" })).toBe(true);
  expect(isOfProvider({ code: "context-too-long" })).toBe(true);
  expect(isOfProvider({ code: "guardrail-failed" })).toBe(false);
});

test("inputs come in the order of their declaration, then the others", () => {
  const run = sampleRun({ inputs: { extra: 1, topic: "bees" } });
  run.definition.inputs = [
    { name: "topic", type: "string", required: true },
    { name: "size", type: "integer", required: true },
  ];
  expect(inputsOf(run)).toEqual([
    { name: "topic", type: "string", value: "bees" },
    { name: "size", type: "integer", value: undefined },
    { name: "extra", type: "", value: 1 },
  ]);
});

test("the task that ended last is the newest, whatever its place", () => {
  const tasks = [
    sampleTask({ key: "a", finishedAt: "2026-11-22T10:00:09Z" }),
    sampleTask({ key: "b", finishedAt: "2026-11-22T10:00:03Z" }),
    sampleTask({ key: "c", result: null, finishedAt: "2026-11-22T10:00:20Z" }),
  ];
  expect(newestDone(tasks)).toBe("a");
  expect(newestDone([])).toBeUndefined();
  expect(timeTaken(sampleTask())).toBe(2000);
  expect(timeTaken(sampleTask({ startedAt: null }))).toBeNull();
});

const TOLD = {
  status: "running" as const,
  tasks: new Map(),
  messages: 0,
  approvals: 0,
  artifacts: 0,
  budget: 0,
  complete: true,
};

test("each kind of news outdates what it is about, and nothing else", () => {
  const after = (change: Partial<typeof TOLD>) => outdated("run_1", TOLD, { ...TOLD, ...change });
  expect(after({})).toEqual([]);
  expect(after({ messages: 1 })).toEqual([runKeys.messages("run_1")]);
  expect(after({ artifacts: 1 })).toEqual([runKeys.artifacts("run_1")]);
  expect(after({ tasks: new Map() })).toEqual([runKeys.tasks("run_1")]);
  expect(after({ budget: 1 })).toEqual([runKeys.detail("run_1")]);
  expect(after({ approvals: 1 })).toEqual([approvalKeys.forRun("run_1"), approvalKeys.open()]);
  expect(outdated("run_1", TOLD, { ...TOLD, status: "completed" })).toEqual(
    expect.arrayContaining([runKeys.detail("run_1"), runKeys.tasks("run_1")]),
  );
});
