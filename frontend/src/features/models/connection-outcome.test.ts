// @vitest-environment node
import { expect, test } from "vitest";

import type { ConnectionReport } from "@/lib/api/types";

import { outcomeLabel, connectionSteps } from "./connection-outcome";

const report = (stage: ConnectionReport["stage"], ok = stage === "done"): ConnectionReport => ({
  ok,
  stage,
  latencyMs: 12,
  message: "",
  models: [],
});
const states = (...of: Parameters<typeof connectionSteps>) =>
  connectionSteps(...of).map((step) => step.state);

test("every step waits while the test is running", () => {
  expect(states(null, false)).toEqual(Array(5).fill("waiting"));
});

test("every step of a successful test has passed", () => {
  expect(states(report("done"), false)).toEqual(Array(5).fill("passed"));
});

test.each([
  ["dns", ["failed", "not-reached", "not-reached", "not-reached", "not-reached"]],
  ["connect", ["passed", "failed", "not-reached", "not-reached", "not-reached"]],
  ["tls", ["passed", "passed", "failed", "not-reached", "not-reached"]],
  ["auth", ["passed", "passed", "passed", "failed", "not-reached"]],
  ["model", ["passed", "passed", "passed", "passed", "failed"]],
] as const)("a test that fails at %s does not reach later steps", (stage, expected) => {
  expect(states(report(stage), false)).toEqual(expected);
});

test("TLS is not used over plain HTTP", () => {
  expect(states(report("done"), true)[2]).toBe("not-used");
  expect(states(report("auth"), true)).toEqual([
    "passed",
    "passed",
    "not-used",
    "failed",
    "not-reached",
  ]);
});

test("outcomeLabel names the failed step", () => {
  expect(outcomeLabel(report("done"))).toBe("Connected");
  expect(outcomeLabel(report("auth"))).toBe("Invalid API key");
});
