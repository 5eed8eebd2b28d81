import { expect, test } from "vitest";

import type { ConnectionReport } from "@/lib/api/types";

import { outcomeWords, stepsOf } from "./connection-stages";

const report = (stage: ConnectionReport["stage"], ok = stage === "done"): ConnectionReport => ({
  ok,
  stage,
  latencyMs: 12,
  message: "",
  models: [],
});
const states = (...of: Parameters<typeof stepsOf>) => stepsOf(...of).map((step) => step.state);

test("waits at every step while the test is under way", () => {
  expect(states(null, false)).toEqual(Array(5).fill("waiting"));
});

test("passes every step of a good test", () => {
  expect(states(report("done"), false)).toEqual(Array(5).fill("passed"));
});

test.each([
  ["dns", ["failed", "not-reached", "not-reached", "not-reached", "not-reached"]],
  ["connect", ["passed", "failed", "not-reached", "not-reached", "not-reached"]],
  ["tls", ["passed", "passed", "failed", "not-reached", "not-reached"]],
  ["auth", ["passed", "passed", "passed", "failed", "not-reached"]],
  ["model", ["passed", "passed", "passed", "passed", "failed"]],
] as const)("fails at %s and goes no further", (stage, expected) => {
  expect(states(report(stage), false)).toEqual(expected);
});

test("claims no encryption over plain http", () => {
  expect(states(report("done"), true)[2]).toBe("not-used");
  expect(states(report("auth"), true)).toEqual([
    "passed",
    "passed",
    "not-used",
    "failed",
    "not-reached",
  ]);
});

test("says in a few words where it ended", () => {
  expect(outcomeWords(report("done"))).toBe("Connected");
  expect(outcomeWords(report("auth"))).toBe("Key refused");
});
