// @vitest-environment node
import { expect, it } from "vitest";

import type { Span } from "../store/span";

import { findFailedSpan } from "./find-failed-span";

const span = (
  id: string,
  state: Span["state"],
  depth: number,
  order: number,
  taskKey: string | null = null,
) => ({ id, state, depth, order, taskKey }) as Span;

it("finds the deepest failed span, and the newest of several", () => {
  const spans = [
    span("task", "failed", 0, 1),
    span("call-1", "failed", 2, 3),
    span("call-2", "failed", 2, 4),
    span("recovered", "retried", 3, 5),
  ];
  expect(findFailedSpan(spans)?.id).toBe("call-2");
  expect(findFailedSpan([span("fine", "ok", 0, 1)])).toBeUndefined();
});

it("prefers the task that the failure names", () => {
  const spans = [
    span("named", "failed", 0, 1, "report"),
    span("deeper", "failed", 2, 2, "research"),
  ];
  expect(findFailedSpan(spans, "report")?.id).toBe("named");
  expect(findFailedSpan(spans, "unknown")?.id).toBe("deeper");
  expect(findFailedSpan(spans, null)?.id).toBe("deeper");
});
